"""The output head: logits, log-probabilities and losses only at the positions where they are needed.

The output head is the largest matrix product of a small model. The hidden states of the whole batch come from the
language model without its head (and without the vision tower of a multimodal model); the head reads chosen positions.
"""

from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from donorgrid.core.errors import InputError
from donorgrid.models.fast_cpu.activations import logsumexp_rows

_LARGEST_GAP_NATS = 1e-3
# How many logits are computed at once.
_N_LOGITS = {"cpu": 2**23, "cuda": 2**27}
# On a CPU the head of a larger vocabulary is read in blocks of so many tokens: each block is read from memory once for
# all positions. Smaller vocabularies are read whole, so that their scores keep their last digits.
_LARGE_VOCABULARY, _VOCABULARY_BLOCK = 200_000, 4096
# The most logits that training keeps at once.
_N_LOSS_LOGITS = 2**26


def logits_at(network: Any, batch: dict[str, Tensor], is_needed: Tensor) -> Tensor:
    """Computes logits at chosen positions.

    Parameters
    ----------
    network
        A causal language model of transformers.
    batch
        ``input_ids`` and ``attention_mask``, ``(n_rows, length)``.
    is_needed
        Boolean, ``(n_rows, length)``.

    Returns
    -------
    Tensor of shape ``(number of True, vocabulary_size)``, row after row, in the network's dtype
    """
    hidden = network.get_decoder()(**batch, use_cache=False).last_hidden_state
    return head_logits(network, hidden[is_needed])


def head_logits(network: Any, hidden: Tensor) -> Tensor:
    """Computes the logits of hidden states.

    Parameters
    ----------
    network
        A causal language model of transformers.
    hidden
        ``(n, hidden_size)``.

    Returns
    -------
    Tensor of shape ``(n, vocabulary_size)``, in the network's dtype
    """
    head = network.get_output_embeddings()
    logits: Tensor = head(hidden.to(head.weight.dtype))
    cap = getattr(network.config.get_text_config(), "final_logit_softcapping", None)
    return logits if cap is None else torch.tanh(logits / cap) * cap


def target_loglik_nats(network: Any, hidden: Tensor, hidden_indices: Tensor, targets: Tensor) -> Tensor:
    """Computes the log-probability of target tokens in float32.

    The logits are the largest tensor of a batch, so they are computed in parts.

    Parameters
    ----------
    network
        A causal language model of transformers.
    hidden
        Hidden states, ``(n, hidden_size)``.
    hidden_indices
        The index of the hidden state that predicts each target, ``(n_targets,)``, never decreasing. On the CPU, or
        where ``hidden`` is; on the CPU a GPU need not be waited for.
    targets
        Token ids, ``(n_targets,)``, where ``hidden`` is.

    Returns
    -------
    Tensor of shape ``(n_targets,)``, in nats
    """
    weight = network.get_output_embeddings().weight
    if _is_plain_head(network, hidden) and (len(weight) >= _LARGE_VOCABULARY or weight.dtype != hidden.dtype):
        return _loglik_by_blocks(weight, hidden, hidden_indices, targets)
    n_logits = _N_LOGITS.get(hidden.device.type, _N_LOGITS["cpu"])
    size = max(1, n_logits // len(weight))
    nats = []
    for start in range(0, len(hidden), size):
        bounds = torch.tensor([start, start + size], device=hidden_indices.device)
        first, last = torch.searchsorted(hidden_indices, bounds).tolist()
        logits = head_logits(network, hidden[start : start + size]).float()
        rows = (hidden_indices[first:last] - start).to(hidden.device, non_blocking=True)
        sums = logsumexp_rows(logits) if logits.device.type == "cpu" else logits.logsumexp(-1)
        nats.append(logits[rows, targets[first:last]] - sums[rows])
    return torch.cat(nats)


def token_losses_nats(network: Any, hidden: Tensor, targets: Tensor) -> Tensor:
    """Computes the cross entropy of each target token in float32.

    On a CPU a plain frozen head computes the gradient along with the loss, so that autograd keeps no logits.

    Parameters
    ----------
    network
        A causal language model of transformers.
    hidden
        The hidden state that predicts each target, ``(n, hidden_size)``.
    targets
        Token ids, ``(n,)``.

    Returns
    -------
    Tensor of shape ``(n,)``, in nats
    """
    if not _is_plain_head(network, hidden):
        return cross_entropy(head_logits(network, hidden).float(), targets, reduction="none")
    weight = network.get_output_embeddings().weight
    size = max(1, _N_LOSS_LOGITS // len(weight))
    losses: list[Tensor] = [
        _PlainHeadLoss.apply(hidden[start : start + size], weight, targets[start : start + size])  # type: ignore[no-untyped-call]
        for start in range(0, max(1, len(hidden)), size)
    ]
    return losses[0] if len(losses) == 1 else torch.cat(losses)


def _is_plain_head(network: Any, hidden: Tensor) -> bool:
    """True if logits are ``hidden weight^T`` on a CPU, with hidden states in float32 and a frozen weight."""
    head = network.get_output_embeddings()
    is_plain = type(head) is torch.nn.Linear and head.bias is None and not head.weight.requires_grad
    is_hooked = is_plain and bool(head._forward_hooks or head._forward_pre_hooks)
    has_cap = getattr(network.config.get_text_config(), "final_logit_softcapping", None) is not None
    return is_plain and not is_hooked and not has_cap and (hidden.dtype, hidden.device.type) == (torch.float32, "cpu")


def _loglik_by_blocks(weight: Tensor, hidden: Tensor, hidden_indices: Tensor, targets: Tensor) -> Tensor:
    """``target_loglik_nats`` without ever keeping the logits of the whole vocabulary."""
    sums = [
        logsumexp_rows(torch.mm(hidden, weight[start : start + _VOCABULARY_BLOCK].float().T))
        for start in range(0, len(weight), _VOCABULARY_BLOCK)
    ]
    target_logits: Tensor = torch.linalg.vecdot(hidden[hidden_indices], weight[targets].float())
    return target_logits - torch.stack(sums).logsumexp(0)[hidden_indices]


class _PlainHeadLoss(torch.autograd.Function):
    """The cross entropy after a linear head without bias."""

    @staticmethod
    def forward(ctx: Any, hidden: Tensor, weight: Tensor, targets: Tensor) -> Tensor:
        logits = _logits(hidden, weight)
        sums = logsumexp_rows(logits)
        losses = sums - logits.gather(1, targets[:, None]).squeeze(1)
        if ctx.needs_input_grad[0]:
            probabilities = logits.sub_(sums[:, None]).exp_()
            ctx.grad_hidden = _times_weight(probabilities, weight).sub_(weight[targets])
        return losses

    @staticmethod
    def backward(ctx: Any, *grad_losses: Tensor) -> tuple[Tensor | None, ...]:
        return grad_losses[0][:, None] * ctx.grad_hidden, None, None


def _logits(hidden: Tensor, weight: Tensor) -> Tensor:
    """``hidden weight^T`` in float32; a weight in bf16 is turned into float32 block by block."""
    if weight.dtype == hidden.dtype:
        return torch.mm(hidden, weight.T)
    logits = hidden.new_empty(len(hidden), len(weight))
    for start in range(0, len(weight), _VOCABULARY_BLOCK):
        stop = start + _VOCABULARY_BLOCK
        logits[:, start:stop] = torch.mm(hidden, weight[start:stop].float().T)
    return logits


def _times_weight(probabilities: Tensor, weight: Tensor) -> Tensor:
    """``probabilities weight`` in float32, likewise."""
    if weight.dtype == probabilities.dtype:
        return torch.mm(probabilities, weight)
    total = probabilities.new_zeros(len(probabilities), weight.shape[1])
    for start in range(0, len(weight), _VOCABULARY_BLOCK):
        stop = start + _VOCABULARY_BLOCK
        total.addmm_(probabilities[:, start:stop], weight[start:stop].float())
    return total


def check_head(network: Any, device: torch.device) -> None:
    """Compares ``logits_at`` with the network's own logits, on eight tokens.

    Parameters
    ----------
    network
        A causal language model of transformers.
    device
        Where the network is.

    Raises
    ------
    InputError
        The log-probabilities differ: the network has an unknown kind of output head.
    """
    ids = torch.arange(2, 10, device=device).unsqueeze(0)
    batch = {"input_ids": ids, "attention_mask": torch.ones_like(ids)}
    with torch.no_grad():
        expected = network(**batch, use_cache=False).logits[0].float().log_softmax(-1)
        computed = logits_at(network, batch, torch.ones_like(ids, dtype=torch.bool)).float().log_softmax(-1)
    gap = (expected - computed).abs().max().item()
    if not gap <= _LARGEST_GAP_NATS:
        kind = type(network).__name__
        raise InputError(f"model class {kind}: its output head is not understood (log-probabilities {gap:.2g} apart)")
