"""All options of an item in one row, their common prefix read once; rows side by side under a token budget."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from donorgrid.models.rows import Row, RowBatch, pad_rows, prefix_tree_row
from donorgrid.score.encode import EncodedItem
from donorgrid.score.grouping import Sequences, group_sequences
from donorgrid.score.sequences import ScoredSequence, scored_sequence

# A batch with this many tokens or more takes no row that would leave less than this share of it filled.
_LARGE_BATCH_TOKENS, _FILLED_SHARE = 512, 0.95
_LONGEST_ROW = 2048


@dataclass(frozen=True, kw_only=True)
class PlannedRow:
    """A row and its predictions.

    Attributes
    ----------
    row
        The tokens that the model reads.
    columns
        For each prediction, the index in the row of the token that predicts: (n_targets,).
    targets
        The predicted tokens: (n_targets,).
    sequence_indices
        The sequence that each target belongs to: (n_targets,).
    """

    row: Row
    columns: tuple[int, ...]
    targets: tuple[int, ...]
    sequence_indices: tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class PackedBatch:
    """Rows side by side as tensors.

    Attributes
    ----------
    planned_rows
        The rows before padding.
    rows
        The padded rows: (n_rows, length).
    head_indices
        Distinct indices into the flattened rows (n_rows * length) at which the output head is needed: (n_hidden,).
    hidden_rows
        For each prediction, the index into ``head_indices`` of the hidden state that predicts it; it never decreases:
        (n_targets,).
    targets
        The predicted tokens: (n_targets,).
    sequence_indices
        The sequence that each target belongs to: (n_targets,).
    """

    planned_rows: tuple[PlannedRow, ...]
    rows: RowBatch
    head_indices: Tensor
    hidden_rows: Tensor
    targets: Tensor
    sequence_indices: Tensor

    @property
    def n_tokens(self) -> int:
        """Tokens that are computed, padding among them."""
        return self.rows.input_ids.numel()


@dataclass(frozen=True, kw_only=True)
class PackedItems:
    """Items made ready once for any number of adapters.

    Attributes
    ----------
    items
        The items, in the order given.
    sequences
        The distinct sequences of all options.
    options
        ``options[i][k]`` is the index of the sequence that scores option k of item i.
    batches
        The work; a batch may be replaced by smaller ones when memory is short.
    n_needed
        Tokens to read, without padding.
    """

    items: tuple[EncodedItem, ...]
    sequences: Sequences
    options: tuple[tuple[int, ...], ...]
    batches: list[PackedBatch]
    n_needed: int


def pack_items(items: Sequence[EncodedItem], *, max_length: int, budget: int, token_cost: float) -> PackedItems:
    """Packs items into batches.

    Parameters
    ----------
    items
        The encoded items of one target.
    max_length
        The model's longest input in tokens.
    budget
        The most tokens of a batch, padding among them; a longer row has a batch of its own.
    token_cost
        What reading one token costs, in pairs of tokens that attend to each other in one layer.

    Returns
    -------
    PackedItems
        With the items in the order given.
    """
    index: dict[ScoredSequence, int] = {}
    sequences_of = [[scored_sequence(item, option, max_length) for option in item.continuations] for item in items]
    options = tuple(tuple(index.setdefault(sequence, len(index)) for sequence in row) for row in sequences_of)
    sequences = tuple(index)
    longest = min(budget, _LONGEST_ROW)
    groups = group_sequences({frozenset(row) for row in options}, sequences, token_cost=token_cost, longest=longest)
    planned = [_plan_row(group, sequences) for group in groups]
    planned.sort(key=lambda planned_row: (len(planned_row.row), planned_row.sequence_indices))
    return PackedItems(
        items=tuple(items),
        sequences=sequences,
        options=options,
        batches=[assemble(batch) for batch in _batches(planned, budget)],
        n_needed=sum(len(planned_row.row) for planned_row in planned),
    )


def assemble(planned_rows: Sequence[PlannedRow]) -> PackedBatch:
    """Planned rows as one batch of tensors, padded to the longest."""
    width = max(len(planned.row) for planned in planned_rows)
    flat = np.concatenate([np.asarray(planned.columns) + width * row for row, planned in enumerate(planned_rows)])
    order = np.argsort(flat, kind="stable")
    head_indices, hidden_rows = np.unique(flat[order], return_inverse=True)
    targets = np.concatenate([planned.targets for planned in planned_rows])[order]
    sequence_indices = np.concatenate([planned.sequence_indices for planned in planned_rows])[order]
    return PackedBatch(
        planned_rows=tuple(planned_rows),
        rows=pad_rows([planned.row for planned in planned_rows]),
        head_indices=torch.from_numpy(head_indices),
        hidden_rows=torch.from_numpy(hidden_rows),
        targets=torch.from_numpy(targets),
        sequence_indices=torch.from_numpy(sequence_indices),
    )


def halve(batch: PackedBatch, sequences: Sequences) -> list[PackedBatch]:
    """Splits a batch in two.

    Parameters
    ----------
    batch
        A batch of ``PackedItems``.
    sequences
        The sequences of the same ``PackedItems``.

    Returns
    -------
    list of PackedBatch
        Two batches, of half the rows or of half the only row's sequences; one batch for a single sequence.
    """
    planned = batch.planned_rows
    if len(planned) == 1:
        indices = sorted(set(planned[0].sequence_indices))
        parts = [indices[: len(indices) // 2], indices[len(indices) // 2 :]]
        return [assemble([_plan_row(part, sequences)]) for part in parts if part]
    return [assemble(planned[: len(planned) // 2]), assemble(planned[len(planned) // 2 :])]


def _plan_row(group: Sequence[int], sequences: Sequences) -> PlannedRow:
    in_order = sorted(group, key=lambda index: (sequences[index].token_ids[:-1], index))
    row, columns_of = prefix_tree_row([sequences[index].token_ids[:-1] for index in in_order])
    columns: list[int] = []
    targets: list[int] = []
    sequence_indices: list[int] = []
    for index, path in zip(in_order, columns_of, strict=True):
        token_ids, n_scored = sequences[index].token_ids, sequences[index].n_scored
        columns += path[len(path) - n_scored :]
        targets += token_ids[len(token_ids) - n_scored :]
        sequence_indices += [index] * n_scored
    return PlannedRow(row=row, columns=tuple(columns), targets=tuple(targets), sequence_indices=tuple(sequence_indices))


def _batches(planned_rows: Sequence[PlannedRow], budget: int) -> list[list[PlannedRow]]:
    """Rows, shortest first, side by side: no batch over the budget, and no large one that is mostly padding."""
    batches: list[list[PlannedRow]] = []
    needed = 0
    for planned in planned_rows:
        width = len(planned.row)
        size = (len(batches[-1]) + 1) * width if batches else 0
        is_wasteful = needed >= _LARGE_BATCH_TOKENS and needed + width < _FILLED_SHARE * size
        if not batches or size > budget or is_wasteful:
            batches.append([])
            needed = 0
        batches[-1].append(planned)
        needed += width
    return batches
