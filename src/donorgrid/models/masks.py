"""Attention masks of token rows, in the form that a model understands.

Masks fail silently: a model that gets a wrong form, or a mask without its sliding window, answers without an error and
nats off. So a form is only ever used after ``find_form`` has seen it give what the model gives one sequence at a time.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor

from donorgrid.models.heads import target_nats
from donorgrid.models.rows import RowBatch, Tokens, batch_rows, joined_row, tree_row

Form = Literal["by layer type", "one mask"]
FORMS: tuple[Form, ...] = ("by layer type", "one mask")
_KNOWN_LAYERS = {"full_attention", "sliding_attention"}
# What models raise that cannot take a mask of four dimensions, a dictionary of masks, or positions.
_REFUSALS = (TypeError, ValueError, AttributeError, KeyError, IndexError, RuntimeError)


@dataclass(frozen=True)
class Found:
    """The form that a model takes, and its mean gap (nats a token) to one sequence at a time; None: no form will do."""

    form: Form | None
    gap_nats: float


def hidden_states(network: Any, batch: RowBatch, form: Form | None) -> Tensor:
    """The last hidden states (rows, length, width) of a batch of rows; without a form each row is one sequence."""
    decoder = network.get_decoder()
    if form is None:
        place = torch.arange(batch.ids.shape[1], device=batch.ids.device)
        seen: dict[str, Any] = {"attention_mask": (batch.depths == place).long()}
    else:
        seen = {"attention_mask": _mask(network, batch, form), "position_ids": batch.depths}
    hidden: Tensor = decoder(input_ids=batch.ids, use_cache=False, **seen).last_hidden_state
    return hidden


def find_form(network: Any, sequences: Sequence[Tokens], *, tolerance_nats: float) -> Found:
    """The first form in which rows of ``sequences`` have the log-probabilities of the sequences read one by one."""
    sequences = sorted({sequence for sequence in sequences if len(sequence) > 1})
    device = network.get_input_embeddings().weight.device
    row, places = tree_row(sequences)
    batch = batch_rows([row]).to(device)
    gaps = [float("inf")]
    with torch.inference_mode():
        apart = [_nats(network, _alone(network, sequence), sequence) for sequence in sequences]
        for form in FORMS:
            if form == "by layer type" and not _KNOWN_LAYERS.issuperset(_layer_types(network) or {"none"}):
                continue
            try:
                hidden = hidden_states(network, batch, form)[0]
            except _REFUSALS:
                continue
            together = [_nats(network, hidden[places[index]], sequence) for index, sequence in enumerate(sequences)]
            gap = (torch.cat(together) - torch.cat(apart)).abs().mean().item()
            if gap <= tolerance_nats:
                return Found(form, gap)
            gaps.append(gap)
    return Found(None, min(gaps))


def _mask(network: Any, batch: RowBatch, form: Form) -> Tensor | dict[str, Tensor]:
    place = torch.arange(batch.ids.shape[1], device=batch.ids.device)
    seen = (place[None, None, :] <= place[None, :, None]) & (place[None, :, None] < batch.ends[:, None, :])
    dtype = network.get_input_embeddings().weight.dtype
    config = network.config.get_text_config()
    window: int | None = getattr(config, "sliding_window", None)
    near = seen if window is None else seen & _near(batch, window)
    if form == "by layer type":
        return {kind: _additive(near if kind == "sliding_attention" else seen, dtype) for kind in _layer_types(network)}
    return _additive(near if getattr(config, "use_sliding_window", True) else seen, dtype)


def _near(batch: RowBatch, window: int) -> Tensor:
    """Within the window, measured in positions: neighbours in a row may be far apart in their sequence."""
    return batch.depths[:, :, None] - batch.depths[:, None, :] < window


def _additive(seen: Tensor, dtype: torch.dtype) -> Tensor:
    hidden = torch.full((), torch.finfo(dtype).min, dtype=dtype, device=seen.device)
    return torch.where(seen, torch.zeros((), dtype=dtype, device=seen.device), hidden)[:, None]


def _layer_types(network: Any) -> list[str]:
    types = getattr(network.config.get_text_config(), "layer_types", None)
    return sorted(set(types)) if types else []


def _alone(network: Any, sequence: Tokens) -> Tensor:
    device = network.get_input_embeddings().weight.device
    return hidden_states(network, batch_rows([joined_row([sequence])]).to(device), None)[0]


def _nats(network: Any, hidden: Tensor, sequence: Tokens) -> Tensor:
    """Log-probabilities of a sequence's tokens after the first, each after those before it."""
    readers = torch.arange(len(sequence) - 1, device=hidden.device)
    return target_nats(network, hidden[:-1], readers, torch.tensor(sequence[1:], device=hidden.device))
