"""Logits only where they are needed: the output head is the largest product of a small model.

The hidden states of the whole batch come from the language model without its head (and without the vision tower of a
multimodal model); the head then reads the chosen positions.
"""

from typing import Any

import torch
from torch import Tensor

from donorgrid.core.errors import InputError

_SAME_NATS = 1e-3


def logits_at(network: Any, batch: dict[str, Tensor], where: Tensor) -> Tensor:
    """Logits at chosen positions.

    ``batch`` holds ``input_ids`` and ``attention_mask`` of shape (rows, length); ``where`` is a boolean mask of that
    shape. Returns (number of True, vocabulary), rows first, in the network's dtype.
    """
    hidden = network.get_decoder()(**batch, use_cache=False).last_hidden_state
    logits: Tensor = network.get_output_embeddings()(hidden[where])
    cap = getattr(network.config.get_text_config(), "final_logit_softcapping", None)
    return logits if cap is None else torch.tanh(logits / cap) * cap


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
