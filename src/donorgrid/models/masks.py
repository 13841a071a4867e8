"""Attention masks of token rows, in the form that a model understands.

Masks fail silently: a model that gets a wrong form, or a mask without its sliding window, answers without an error and
nats off. So a form is used only after ``find_mask_form`` has compared it with the model reading one sequence at a time.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

import torch
from torch import Tensor

from donorgrid.models.output_head import target_loglik_nats
from donorgrid.models.rows import RowBatch, Tokens, packed_row, pad_rows, prefix_tree_row

MaskForm = Literal["by layer type", "one mask"]
FORMS: tuple[MaskForm, ...] = ("by layer type", "one mask")
_KNOWN_LAYERS = {"full_attention", "sliding_attention"}
# What models raise that cannot take a mask of four dimensions, a dictionary of masks, or positions.
_REFUSALS = (TypeError, ValueError, AttributeError, KeyError, IndexError, RuntimeError)


@dataclass(frozen=True)
class MaskCheck:
    """The form that a model takes, and its mean gap (nats a token) to one sequence at a time; None: no form will do."""

    form: MaskForm | None
    packing_gap_nats: float


def hidden_states(network: Any, batch: RowBatch, form: MaskForm | None) -> Tensor:
    """The last hidden states (rows, length, width) of a batch of rows; without a form each row is one sequence."""
    decoder = network.get_decoder()
    if form is None:
        place = torch.arange(batch.input_ids.shape[1], device=batch.input_ids.device)
        seen: dict[str, Any] = {"attention_mask": (batch.position_ids == place).long()}
    else:
        seen = {"attention_mask": _mask(network, batch, form), "position_ids": batch.position_ids}
    hidden: Tensor = decoder(input_ids=batch.input_ids, use_cache=False, **seen).last_hidden_state
    return hidden


def find_mask_form(network: Any, sequences: Sequence[Tokens], *, tolerance_nats: float) -> MaskCheck:
    """The first form in which rows of ``sequences`` have the log-probabilities of the sequences read one by one."""
    gaps = [float("inf")]
    for form in FORMS:
        if form == "by layer type" and not _KNOWN_LAYERS.issuperset(_layer_types(network) or {"none"}):
            continue
        gap = packing_gap_nats(network, partial(_first_row, network, form), sequences)
        if gap <= tolerance_nats:
            return MaskCheck(form, gap)
        gaps.append(gap)
    return MaskCheck(None, min(gaps))


def packing_gap_nats(network: Any, read: Callable[[RowBatch], Tensor], sequences: Sequence[Tokens]) -> float:
    """How far sequences that ``read`` sees in one row are from the same ones read one by one: on average, nats a token.

    ``read`` gives the hidden states (length, width) of the row. The gap is infinite where it refuses to.
    """
    sequences = sorted({sequence for sequence in sequences if len(sequence) > 1})
    row, places = prefix_tree_row(sequences)
    with torch.inference_mode():
        try:
            hidden = read(pad_rows([row]).to(network.get_input_embeddings().weight.device))
        except _REFUSALS:
            return float("inf")
        apart = [_nats(network, _alone(network, sequence), sequence) for sequence in sequences]
        together = [_nats(network, hidden[places[index]], sequence) for index, sequence in enumerate(sequences)]
        return (torch.cat(together) - torch.cat(apart)).abs().mean().item()


def additive_mask(batch: RowBatch, dtype: torch.dtype, *, window: int | None) -> Tensor:
    """What each token of a batch sees, (rows, 1, length, length): 0, and the dtype's lowest number where it does not.

    A window is measured in positions: neighbours in a row may be far apart in their sequence.
    """
    place = torch.arange(batch.input_ids.shape[1], device=batch.input_ids.device)
    seen = (place[None, None, :] <= place[None, :, None]) & (place[None, :, None] < batch.attended_until[:, None, :])
    if window is not None:
        seen &= batch.position_ids[:, :, None] - batch.position_ids[:, None, :] < window
    hidden = torch.full((), torch.finfo(dtype).min, dtype=dtype, device=seen.device)
    return torch.where(seen, torch.zeros((), dtype=dtype, device=seen.device), hidden)[:, None]


def _mask(network: Any, batch: RowBatch, form: MaskForm) -> Tensor | dict[str, Tensor]:
    dtype = network.get_input_embeddings().weight.dtype
    config = network.config.get_text_config()
    window: int | None = getattr(config, "sliding_window", None)
    if form == "by layer type":
        windows = {kind: window if kind == "sliding_attention" else None for kind in _layer_types(network)}
        return {kind: additive_mask(batch, dtype, window=one) for kind, one in windows.items()}
    return additive_mask(batch, dtype, window=window if getattr(config, "use_sliding_window", True) else None)


def _first_row(network: Any, form: MaskForm, batch: RowBatch) -> Tensor:
    return hidden_states(network, batch, form)[0]


def _layer_types(network: Any) -> list[str]:
    types = getattr(network.config.get_text_config(), "layer_types", None)
    return sorted(set(types)) if types else []


def _alone(network: Any, sequence: Tokens) -> Tensor:
    device = network.get_input_embeddings().weight.device
    return hidden_states(network, pad_rows([packed_row([sequence])]).to(device), None)[0]


def _nats(network: Any, hidden: Tensor, sequence: Tokens) -> Tensor:
    """Log-probabilities of a sequence's tokens after the first, each after those before it."""
    readers = torch.arange(len(sequence) - 1, device=hidden.device)
    return target_loglik_nats(network, hidden[:-1], readers, torch.tensor(sequence[1:], device=hidden.device))
