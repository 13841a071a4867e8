"""Whether a network with PEFT's modules can be read as the base is: decoder and head alone, texts in any company."""

from pathlib import Path
from typing import Any

import torch

from donorgrid.core.errors import InputError
from donorgrid.models.output_head import logits_at
from donorgrid.models.refusals import refusals_of_files

_N_TOKENS, _N_BEFORE = 8, 5
# The largest mean difference of log-probabilities: rounding and nothing else.
_SAME_NATS = {torch.float32: 1e-3, torch.bfloat16: 1e-1}


def check_reading(folder: Path, adapted: Any) -> None:
    """Checks that a network with an adapter gives the scores of PEFT's model, the same ones each time.

    Parameters
    ----------
    folder
        The adapter, for the message.
    adapted
        A PEFT model.

    Raises
    ------
    InputError
        PEFT's model raises, draws random numbers, or computes something around the network; or a token's scores depend
        on later tokens, so that they differ with the texts of a batch.
    """
    kind = adapted.peft_config["default"].peft_type.value
    with refusals_of_files(f"adapter '{folder}': PEFT cannot compute with it"):
        problem = _problem(adapted)
    if problem is not None:
        raise InputError(f"adapter '{folder}': {kind} {problem}; that is not supported")


def same_without_adapter(adapted: Any, network: Any) -> bool:
    """Whether a network with PEFT's modules computes as the base does.

    Parameters
    ----------
    adapted
        A PEFT model whose strength is 0.
    network
        The base's network.

    Returns
    -------
    bool
        True if the scores of the base's vocabulary are the same up to rounding.
    """
    ids = torch.arange(2, 2 + _N_TOKENS, device=network.get_input_embeddings().weight.device).unsqueeze(0)
    batch, every = {"input_ids": ids, "attention_mask": torch.ones_like(ids)}, torch.ones_like(ids, dtype=torch.bool)
    with torch.inference_mode():
        theirs, ours = (logits_at(each, batch, every).float() for each in (adapted.get_base_model(), network))
    n_rows = min(theirs.shape[-1], ours.shape[-1])
    first, second = (logits[..., :n_rows].log_softmax(-1) for logits in (theirs, ours))
    return _are_same(first, second, network.dtype)


def _problem(adapted: Any) -> str | None:
    network = adapted.get_base_model()
    ids = torch.arange(2, 2 + _N_TOKENS, device=network.get_input_embeddings().weight.device).unsqueeze(0)
    # The parts first: PEFT's model may leave behind in the modules what it computed around them.
    parts, whole, again = _of_parts(network, ids), _of_model(adapted, ids), _of_model(adapted, ids)
    if not _are_same(whole, again, network.dtype):
        return "draws random numbers when it computes: no two evaluations agree"
    if not _are_same(whole, parts, network.dtype):
        return "computes more than the network's modules"
    if not _are_same(whole[:_N_BEFORE], _of_model(adapted, ids[:, :_N_BEFORE]), network.dtype):
        return "lets a token's scores depend on later tokens: they differ with the texts of a batch"
    return None


def _of_model(adapted: Any, ids: torch.Tensor) -> torch.Tensor:
    with torch.inference_mode():
        logits = adapted(input_ids=ids, attention_mask=torch.ones_like(ids), use_cache=False).logits[0]
        return logits.float().log_softmax(-1)  # type: ignore[no-any-return]


def _of_parts(network: Any, ids: torch.Tensor) -> torch.Tensor:
    batch = {"input_ids": ids, "attention_mask": torch.ones_like(ids)}
    with torch.inference_mode():
        return logits_at(network, batch, torch.ones_like(ids, dtype=torch.bool)).float().log_softmax(-1)


def _are_same(first: torch.Tensor, second: torch.Tensor, dtype: torch.dtype) -> bool:
    tolerance = _SAME_NATS.get(dtype, max(_SAME_NATS.values()))
    return first.shape == second.shape and bool((first - second).abs().mean() <= tolerance)
