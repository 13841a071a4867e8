"""Logits only where they are needed: the output head is the largest product of a small model.

The hidden states of the whole batch come from the language model without its head (and without the vision tower of a
multimodal model); the head then reads the chosen positions.
"""

from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from donorgrid.core.errors import InputError
from donorgrid.models.fast_cpu.elementwise import logsumexp_rows

_SAME_NATS = 1e-3
# At most so many logits at once, on a CPU and on a GPU.
_LOGITS = (2**23, 2**27)


def logits_at(network: Any, batch: dict[str, Tensor], where: Tensor) -> Tensor:
    """Logits at chosen positions.

    ``batch`` holds ``input_ids`` and ``attention_mask`` of shape (rows, length); ``where`` is a boolean mask of that
    shape. Returns (number of True, vocabulary), rows first, in the network's dtype.
    """
    return head_logits(network, network.get_decoder()(**batch, use_cache=False).last_hidden_state[where])


def head_logits(network: Any, hidden: Tensor) -> Tensor:
    """Logits (n, vocabulary) of hidden states (n, width), in the network's dtype."""
    logits: Tensor = network.get_output_embeddings()(hidden)
    cap = getattr(network.config.get_text_config(), "final_logit_softcapping", None)
    return logits if cap is None else torch.tanh(logits / cap) * cap


def target_loglik_nats(network: Any, hidden: Tensor, readers: Tensor, targets: Tensor) -> Tensor:
    """Log-probability in float32 of each of ``targets`` after the hidden state that ``readers`` names for it.

    ``hidden`` is (n, width); readers must not decrease. The logits are made a part at a time: they are the largest
    tensor there is.
    """
    part = max(1, _LOGITS[hidden.device.type == "cuda"] // network.get_output_embeddings().weight.shape[0])
    nats = []
    for start in range(0, len(hidden), part):
        first, last = torch.searchsorted(readers, torch.tensor([start, start + part], device=readers.device)).tolist()
        logits = head_logits(network, hidden[start : start + part]).float()
        rows = readers[first:last] - start
        sums = logsumexp_rows(logits) if logits.device.type == "cpu" else logits.logsumexp(-1)
        nats.append(logits[rows, targets[first:last]] - sums[rows])
    return torch.cat(nats)


def token_losses_nats(network: Any, hidden: Tensor, targets: Tensor) -> Tensor:
    """Negative log-probability in float32 of each target after its hidden state (n, width), as cross entropy has it.

    On a CPU a plain frozen head finds the gradient along with the loss, so that autograd keeps no logits.
    """
    head = network.get_output_embeddings()
    is_plain = type(head) is torch.nn.Linear and head.bias is None and not head.weight.requires_grad
    has_cap = getattr(network.config.get_text_config(), "final_logit_softcapping", None) is not None
    if is_plain and not has_cap and (hidden.dtype, hidden.device.type) == (torch.float32, "cpu"):
        found: Tensor = _PlainHead.apply(hidden, head.weight, targets)  # type: ignore[no-untyped-call]
        return found
    return cross_entropy(head_logits(network, hidden).float(), targets, reduction="none")


class _PlainHead(torch.autograd.Function):
    """The losses of a product's softmax."""

    @staticmethod
    def forward(ctx: Any, hidden: Tensor, weight: Tensor, targets: Tensor) -> Tensor:
        logits = torch.mm(hidden, weight.T)
        sums = logsumexp_rows(logits)
        losses = sums - logits.gather(1, targets[:, None]).squeeze(1)
        if ctx.needs_input_grad[0]:
            shares = logits.sub_(sums[:, None]).exp_()
            ctx.slopes = torch.mm(shares, weight).sub_(weight[targets])
        return losses

    @staticmethod
    def backward(ctx: Any, *of_losses: Tensor) -> tuple[Tensor | None, ...]:
        return of_losses[0][:, None] * ctx.slopes, None, None


def check_head(network: Any, device: torch.device) -> None:
    """InputError when ``logits_at`` is not what the network itself computes (an unknown kind of output head)."""
    ids = torch.arange(2, 10, device=device).unsqueeze(0)
    batch = {"input_ids": ids, "attention_mask": torch.ones_like(ids)}
    with torch.no_grad():
        theirs = network(**batch, use_cache=False).logits[0].float().log_softmax(-1)
        ours = logits_at(network, batch, torch.ones_like(ids, dtype=torch.bool)).float().log_softmax(-1)
    gap = (theirs - ours).abs().max().item()
    if not gap <= _SAME_NATS:
        kind = type(network).__name__
        raise InputError(f"model class {kind}: its output head is not understood (log-probabilities {gap:.2g} apart)")
