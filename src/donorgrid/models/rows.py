"""Token rows: many sequences in one row, what they begin with in common read once.

A row is a forest of tokens in preorder. Each token stands at its depth and sees its ancestors and itself, so that every
sequence is computed as if it stood alone. Token q attends to token j exactly when
``j <= q < attended_until[j]``. Two numbers per token hold the whole mask.
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
    """One row of ``len(input_ids)`` tokens.

    ``position_ids`` restart with each sequence; ``attended_until[j]`` is the index of the first later token that does
    not attend to token j.
    """

    input_ids: NDArray[np.int64]
    position_ids: NDArray[np.int64]
    attended_until: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.input_ids)


def prefix_tree_row(sequences: Sequence[Tokens]) -> tuple[Row, list[list[int]]]:
    """Sequences in one row, common beginnings shared; also, for each sequence, the place of each of its tokens.

    ``sequences`` must be sorted, so that what shares a beginning stands together.
    """
    input_ids: list[int] = []
    position_ids: list[int] = []
    attended_until: list[int] = []
    places: list[list[int]] = []
    path: list[int] = []
    for sequence in sequences:
        shared = common_prefix_length([input_ids[place] for place in path], sequence)
        for place in path[shared:]:
            attended_until[place] = len(input_ids)
        path = path[:shared]
        for token in sequence[shared:]:
            path.append(len(input_ids))
            position_ids.append(len(path) - 1)
            input_ids.append(token)
            attended_until.append(-1)
        places.append(list(path))
    attended_until = [len(input_ids) if end < 0 else end for end in attended_until]
    return Row(np.array(input_ids), np.array(position_ids), np.array(attended_until)), places


def packed_row(sequences: Sequence[Tokens]) -> Row:
    """Sequences one after the other in one row, nothing shared."""
    lengths = [len(sequence) for sequence in sequences]
    return Row(
        input_ids=np.concatenate([np.asarray(sequence, dtype=np.int64) for sequence in sequences]),
        position_ids=np.concatenate([np.arange(length) for length in lengths]),
        attended_until=np.repeat(np.cumsum(lengths), lengths),
    )


def common_prefix_length(one: Sequence[int], other: Sequence[int]) -> int:
    """How many tokens two sequences have in common from their beginning."""
    for place, (left, right) in enumerate(zip(one, other, strict=False)):
        if left != right:
            return place
    return min(len(one), len(other))


@dataclass(frozen=True)
class RowBatch:
    """Rows side by side, filled up to the longest: three tensors (rows, length) and each row's own length (rows,).

    A filler sees only itself.
    """

    input_ids: Tensor
    position_ids: Tensor
    attended_until: Tensor
    lengths: Tensor

    def to(self, device: torch.device) -> "RowBatch":
        """The same on a device."""
        parts = (self.input_ids, self.position_ids, self.attended_until, self.lengths)
        return RowBatch(*(one.to(device, non_blocking=True) for one in parts))


def pad_rows(rows: Sequence[Row], *, length: int | None = None) -> RowBatch:
    """Rows as tensors, of the longest row's length or of ``length``."""
    width = length or max(len(row) for row in rows)
    input_ids = np.zeros((len(rows), width), dtype=np.int64)
    position_ids = np.zeros((len(rows), width), dtype=np.int64)
    attended_until = np.tile(np.arange(1, width + 1), (len(rows), 1))
    for index, row in enumerate(rows):
        input_ids[index, : len(row)] = row.input_ids
        position_ids[index, : len(row)] = row.position_ids
        attended_until[index, : len(row)] = row.attended_until
    lengths = np.array([len(row) for row in rows])
    return RowBatch(*(torch.from_numpy(one) for one in (input_ids, position_ids, attended_until, lengths)))
