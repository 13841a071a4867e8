"""Token rows: many sequences in one row, what they begin with in common read once.

A row is a forest of tokens in preorder. Each token stands at its depth and sees its ancestors and itself, so that every
sequence is computed as if it stood alone. ``ends[j]`` is where the tokens below token j end: token q sees token j
exactly when ``j <= q < ends[j]``. Two numbers per token hold the whole mask.
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
    """One row of ``len(ids)`` tokens: their ids, depths (positions), and where what is below each of them ends."""

    ids: NDArray[np.int64]
    depths: NDArray[np.int64]
    ends: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.ids)


def tree_row(sequences: Sequence[Tokens]) -> tuple[Row, list[list[int]]]:
    """Sequences in one row, common beginnings shared; also, for each sequence, the place of each of its tokens.

    ``sequences`` must be sorted, so that what shares a beginning stands together.
    """
    ids: list[int] = []
    depths: list[int] = []
    ends: list[int] = []
    places: list[list[int]] = []
    path: list[int] = []
    for sequence in sequences:
        shared = common_length([ids[place] for place in path], sequence)
        for place in path[shared:]:
            ends[place] = len(ids)
        path = path[:shared]
        for token in sequence[shared:]:
            path.append(len(ids))
            depths.append(len(path) - 1)
            ids.append(token)
            ends.append(-1)
        places.append(list(path))
    ends = [len(ids) if end < 0 else end for end in ends]
    return Row(np.array(ids), np.array(depths), np.array(ends)), places


def joined_row(sequences: Sequence[Tokens]) -> Row:
    """Sequences one after the other in one row, nothing shared."""
    lengths = [len(sequence) for sequence in sequences]
    return Row(
        ids=np.concatenate([np.asarray(sequence, dtype=np.int64) for sequence in sequences]),
        depths=np.concatenate([np.arange(length) for length in lengths]),
        ends=np.repeat(np.cumsum(lengths), lengths),
    )


def common_length(one: Sequence[int], other: Sequence[int]) -> int:
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

    ids: Tensor
    depths: Tensor
    ends: Tensor
    lengths: Tensor

    def to(self, device: torch.device) -> "RowBatch":
        """The same on a device."""
        parts = (self.ids, self.depths, self.ends, self.lengths)
        return RowBatch(*(one.to(device, non_blocking=True) for one in parts))


def batch_rows(rows: Sequence[Row], *, length: int | None = None) -> RowBatch:
    """Rows as tensors, of the longest row's length or of ``length``."""
    width = length or max(len(row) for row in rows)
    ids = np.zeros((len(rows), width), dtype=np.int64)
    depths = np.zeros((len(rows), width), dtype=np.int64)
    ends = np.tile(np.arange(1, width + 1), (len(rows), 1))
    for index, row in enumerate(rows):
        ids[index, : len(row)] = row.ids
        depths[index, : len(row)] = row.depths
        ends[index, : len(row)] = row.ends
    lengths = np.array([len(row) for row in rows])
    return RowBatch(*(torch.from_numpy(one) for one in (ids, depths, ends, lengths)))
