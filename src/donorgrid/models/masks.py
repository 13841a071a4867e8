"""Attention masks of token rows, in the form that a model understands.

Wrong masks fail silently: a model that gets a mask in another form, or without its sliding window, answers without an
error and is nats off. So a form is used only after ``find_mask_form`` has compared it with the model reading one
sequence at a time.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal, TypeVar

import torch
from torch import Tensor

from donorgrid.models.output_head import target_loglik_nats
from donorgrid.models.rows import RowBatch, Tokens, packed_row, pad_rows, prefix_tree_row

MaskForm = Literal["by layer type", "one mask"]
"""A dictionary of masks by the layer's type of attention, or one mask for all layers."""
Mask = TypeVar("Mask")
FORMS: tuple[MaskForm, ...] = ("by layer type", "one mask")
_KNOWN_LAYER_TYPES = {"full_attention", "sliding_attention"}
_N_COPIES = 8
# What models raise that cannot take a mask of four dimensions, a dictionary of masks, or position ids.
_REFUSALS = (TypeError, ValueError, AttributeError, KeyError, IndexError, RuntimeError)


@dataclass(frozen=True)
class MaskCheck:
    """The form of mask that a model understands (None: no form), and how far packed rows are from single sequences.

    The gap is a mean over tokens, in nats.
    """

    form: MaskForm | None
    packing_gap_nats: float


def hidden_states(network: Any, batch: RowBatch, form: MaskForm | None) -> Tensor:
    """The last hidden states of a batch of rows, by transformers' own layers.

    Parameters
    ----------
    network
        A transformers causal language model.
    batch
        On the network's device.
    form
        The form of mask for rows of several sequences; None if every row is one sequence.

    Returns
    -------
    Tensor
        (n_rows, length, hidden_size).
    """
    decoder = network.get_decoder()
    if form is None:
        columns = torch.arange(batch.input_ids.shape[1], device=batch.input_ids.device)
        arguments: dict[str, Any] = {"attention_mask": (batch.position_ids == columns).long()}
    else:
        arguments = {"attention_mask": _mask(network, batch, form), "position_ids": batch.position_ids}
    hidden: Tensor = decoder(input_ids=batch.input_ids, use_cache=False, **arguments).last_hidden_state
    return hidden


def find_mask_form(network: Any, sequences: Sequence[Tokens], *, tolerance_nats: float) -> MaskCheck:
    """The first form of mask with which packed sequences have the log-probabilities of single ones.

    Parameters
    ----------
    network
        A transformers causal language model.
    sequences
        A few sequences to compare.
    tolerance_nats
        The largest mean gap that is allowed, nats per token.

    Returns
    -------
    MaskCheck
        Without a form, the gap is the smallest of all forms.
    """
    gaps = [float("inf")]
    for form in FORMS:
        if form == "by layer type" and not _KNOWN_LAYER_TYPES.issuperset(_layer_types(network) or {"none"}):
            continue
        gap = packing_gap_nats(network, partial(_first_row, network, form), sequences)
        if gap <= tolerance_nats:
            return MaskCheck(form, gap)
        gaps.append(gap)
    return MaskCheck(None, min(gaps))


def packing_gap_nats(network: Any, read: Callable[[RowBatch], Tensor], sequences: Sequence[Tokens]) -> float:
    """How far the log-probabilities of packed sequences are from those of the same sequences read one by one.

    Parameters
    ----------
    network
        A transformers causal language model.
    read
        Gives the hidden states (length, hidden_size) of a batch of one row.
    sequences
        A few sequences to compare.

    Returns
    -------
    float
        The mean absolute difference, nats per token; infinite if ``read`` refuses the row.
    """
    sequences = sorted({sequence for sequence in sequences if len(sequence) > 1})
    row, paths = prefix_tree_row(sequences)
    with torch.inference_mode():
        try:
            hidden = read(pad_rows([row]).to(network.get_input_embeddings().weight.device))
        except _REFUSALS:
            return float("inf")
        single = [_token_nats(network, _hidden_of_copies(network, sequence, 1), sequence) for sequence in sequences]
        packed = [_token_nats(network, hidden[path], sequence) for path, sequence in zip(paths, sequences, strict=True)]
        return (torch.cat(packed) - torch.cat(single)).abs().mean().item()


def rounding_gap_nats(network: Any, sequences: Sequence[Tokens]) -> float:
    """How far the log-probabilities of a sequence move when the model reads several copies of it at once.

    Nothing is packed or padded, so the gap is what other shapes of the same products round otherwise.

    Parameters
    ----------
    network
        A transformers causal language model.
    sequences
        A few sequences; each is read alone and in a batch of copies.

    Returns
    -------
    float
        The mean absolute difference, nats per token.
    """
    gaps = []
    with torch.inference_mode():
        for sequence in {sequence for sequence in sequences if len(sequence) > 1}:
            single, copies = (_hidden_of_copies(network, sequence, n) for n in (1, _N_COPIES))
            gaps.append(_token_nats(network, copies, sequence) - _token_nats(network, single, sequence))
        return torch.cat(gaps).abs().mean().item()


def additive_mask(batch: RowBatch, dtype: torch.dtype, *, window: int | None) -> Tensor:
    """The attention mask of a batch: 0 where a token attends to another, and the dtype's lowest number elsewhere.

    Parameters
    ----------
    batch
        Rows of tokens.
    dtype
        The network's dtype.
    window
        The sliding window, in position ids (neighbours in a row may be far apart in their sequence); None: no window.

    Returns
    -------
    Tensor
        (n_rows, 1, length, length): query by key.
    """
    columns = torch.arange(batch.input_ids.shape[1], device=batch.input_ids.device)
    is_causal = columns[None, None, :] <= columns[None, :, None]
    attends = is_causal & (columns[None, :, None] < batch.attended_until[:, None, :])
    if window is not None:
        attends &= batch.position_ids[:, :, None] - batch.position_ids[:, None, :] < window
    lowest = torch.full((), torch.finfo(dtype).min, dtype=dtype, device=attends.device)
    return torch.where(attends, torch.zeros((), dtype=dtype, device=attends.device), lowest)[:, None]


def masks_of(network: Any, form: MaskForm, make: Callable[[int | None], Mask]) -> Mask | dict[str, Mask]:
    """The masks of a network's layers in a form that it understands.

    Parameters
    ----------
    network
        A transformers causal language model.
    form
        The form of mask.
    make
        Makes the mask for one sliding window (None: no window).

    Returns
    -------
    object
        One mask, or one for each type of layer.
    """
    config = network.config.get_text_config()
    window: int | None = getattr(config, "sliding_window", None)
    if form == "by layer type":
        return {kind: make(window if kind == "sliding_attention" else None) for kind in _layer_types(network)}
    return make(window if getattr(config, "use_sliding_window", True) else None)


def _mask(network: Any, batch: RowBatch, form: MaskForm) -> Tensor | dict[str, Tensor]:
    dtype = network.get_input_embeddings().weight.dtype
    return masks_of(network, form, lambda window: additive_mask(batch, dtype, window=window))


def _first_row(network: Any, form: MaskForm, batch: RowBatch) -> Tensor:
    return hidden_states(network, batch, form)[0]


def _layer_types(network: Any) -> list[str]:
    types = getattr(network.config.get_text_config(), "layer_types", None)
    return sorted(set(types)) if types else []


def _hidden_of_copies(network: Any, sequence: Tokens, n_copies: int) -> Tensor:
    """The hidden states (n_tokens, hidden_size) of a sequence that is read alone, or along with copies of itself."""
    device = network.get_input_embeddings().weight.device
    rows = pad_rows([packed_row([sequence])] * n_copies)
    return hidden_states(network, rows.to(device), None)[0]


def _token_nats(network: Any, hidden: Tensor, sequence: Tokens) -> Tensor:
    """Log-probabilities (n_tokens - 1,) of a sequence's tokens after the first, given the earlier ones."""
    hidden_rows = torch.arange(len(sequence) - 1, device=hidden.device)
    return target_loglik_nats(network, hidden[:-1], hidden_rows, torch.tensor(sequence[1:], device=hidden.device))
