"""Rows of tokens: many sequences in one row, their common prefixes read once.

A row is a prefix tree of tokens in depth-first order. A token's position id is its depth, and it attends to its
ancestors and itself, so that every sequence is computed as if it stood alone. Token q attends to token j exactly when
``j <= q < attended_until[j]``: two numbers per token hold the whole causal mask.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

Tokens = tuple[int, ...]


@dataclass(frozen=True)
class Row:
    """One row of tokens; each array is (n_tokens,).

    Attributes
    ----------
    input_ids
        The tokens.
    position_ids
        The position of each token in its sequence; they restart with each sequence.
    attended_until
        For token j, the index of the first later token that does not attend to it.
    """

    input_ids: NDArray[np.int64]
    position_ids: NDArray[np.int64]
    attended_until: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.input_ids)


def prefix_tree_row(sequences: Sequence[Tokens]) -> tuple[Row, list[list[int]]]:
    """Puts sequences into one row as a prefix tree.

    Parameters
    ----------
    sequences
        Sorted, so that sequences with a common prefix are neighbours.

    Returns
    -------
    tuple
        The row; and for each sequence, the index in the row of each of its tokens.
    """
    input_ids: list[int] = []
    position_ids: list[int] = []
    attended_until: list[int] = []
    paths: list[list[int]] = []
    path: list[int] = []
    for sequence in sequences:
        shared = common_prefix_length([input_ids[index] for index in path], sequence)
        for index in path[shared:]:
            attended_until[index] = len(input_ids)
        path = path[:shared]
        for token in sequence[shared:]:
            path.append(len(input_ids))
            position_ids.append(len(path) - 1)
            input_ids.append(token)
            attended_until.append(-1)
        paths.append(list(path))
    attended_until = [len(input_ids) if end < 0 else end for end in attended_until]
    return Row(np.array(input_ids), np.array(position_ids), np.array(attended_until)), paths


def packed_row(sequences: Sequence[Tokens]) -> Row:
    """Puts sequences into one row one after the other; they share nothing and do not attend to each other."""
    lengths = [len(sequence) for sequence in sequences]
    return Row(
        input_ids=np.concatenate([np.asarray(sequence, dtype=np.int64) for sequence in sequences]),
        position_ids=np.concatenate([np.arange(length) for length in lengths]),
        attended_until=np.repeat(np.cumsum(lengths), lengths),
    )


def common_prefix_length(first: Sequence[int], second: Sequence[int]) -> int:
    """The number of tokens that two sequences have in common at their beginning.

    Parameters
    ----------
    first
        Token ids.
    second
        Token ids.

    Returns
    -------
    int
        From 0 to the length of the shorter one.
    """
    for index, (left, right) in enumerate(zip(first, second, strict=False)):
        if left != right:
            return index
    return min(len(first), len(second))


@dataclass(frozen=True)
class RowBatch:
    """Rows side by side as tensors, padded on the right; a padding token attends to itself alone.

    Attributes
    ----------
    input_ids, position_ids, attended_until
        As in ``Row``: (n_rows, length).
    lengths
        The number of tokens of each row, without padding: (n_rows,).
    """

    input_ids: Tensor
    position_ids: Tensor
    attended_until: Tensor
    lengths: Tensor

    def to(self, device: torch.device) -> "RowBatch":
        """The same batch on a device."""
        parts = (self.input_ids, self.position_ids, self.attended_until, self.lengths)
        return RowBatch(*(part.to(device, non_blocking=True) for part in parts))


def pad_rows(rows: Sequence[Row], *, length: int | None = None) -> RowBatch:
    """Rows as one batch of tensors.

    Parameters
    ----------
    rows
        One or more rows.
    length
        The padded length; by default that of the longest row.

    Returns
    -------
    RowBatch
        On the CPU.
    """
    width = length or max(len(row) for row in rows)
    input_ids = np.zeros((len(rows), width), dtype=np.int64)
    position_ids = np.zeros((len(rows), width), dtype=np.int64)
    attended_until = np.tile(np.arange(1, width + 1), (len(rows), 1))
    for index, row in enumerate(rows):
        input_ids[index, : len(row)] = row.input_ids
        position_ids[index, : len(row)] = row.position_ids
        attended_until[index, : len(row)] = row.attended_until
    lengths = np.array([len(row) for row in rows])
    return RowBatch(*(torch.from_numpy(part) for part in (input_ids, position_ids, attended_until, lengths)))
