"""Training texts side by side with little padding: short texts share a row, each adapter has rows of its own."""

from collections.abc import Sequence
from dataclasses import dataclass
from heapq import heappop, heappush

import numpy as np
import torch
from torch import Tensor

from donorgrid.models.rows import Row, RowBatch, packed_row, pad_rows
from donorgrid.train.encode import EncodedText

Texts = Sequence[EncodedText]
_EMPTY = Row(*(np.zeros(0, dtype=np.int64) for _ in range(3)))


@dataclass(frozen=True, kw_only=True)
class TextBatch:
    """The texts of K adapters as rows, equally many rows for each adapter.

    Attributes
    ----------
    rows
        The rows of the first adapter, then those of the second, and so on: (n_rows, length).
    head_indices
        Indices into the flattened rows (n_rows * length) at which the next token is supervised: (n_targets,).
    targets
        The supervised tokens: (n_targets,).
    adapters
        The adapter, from 0 to K - 1, that each target belongs to: (n_targets,).
    """

    rows: RowBatch
    head_indices: Tensor
    targets: Tensor
    adapters: Tensor


def batch_texts(texts_of: Sequence[Texts], *, can_pack: bool, token_cost: float) -> TextBatch:
    """One batch of the texts of several adapters.

    Parameters
    ----------
    texts_of
        The texts of each adapter.
    can_pack
        Whether texts may share a row; without it every text has a row of its own.
    token_cost
        What reading one token costs, in pairs of tokens that attend to each other in one layer.

    Returns
    -------
    TextBatch
        Of the row width that costs least.
    """
    width, rows_of = _cheapest_rows(texts_of, token_cost) if can_pack else _one_text_per_row(texts_of)
    n_rows = max(map(len, rows_of))
    rows, head_indices, targets, adapters = [], [], [], []
    for adapter, adapter_rows in enumerate(rows_of):
        for row, texts in enumerate(adapter_rows):
            supervised = np.concatenate([text.supervised[1 : len(text.input_ids) + 1] for text in texts])
            next_tokens = np.concatenate([text.token_ids[1 : len(text.input_ids) + 1] for text in texts])
            (columns,) = supervised.nonzero()
            rows.append(packed_row([text.input_ids for text in texts]))
            head_indices.append(columns + (adapter * n_rows + row) * width)
            targets.append(next_tokens[columns])
            adapters.append(np.full(len(columns), adapter))
        rows += [_EMPTY] * (n_rows - len(adapter_rows))
    return TextBatch(
        rows=pad_rows(rows, length=width),
        head_indices=torch.from_numpy(np.concatenate(head_indices)),
        targets=torch.from_numpy(np.concatenate(targets)),
        adapters=torch.from_numpy(np.concatenate(adapters)),
    )


def _one_text_per_row(texts_of: Sequence[Texts]) -> tuple[int, list[list[list[EncodedText]]]]:
    width = max(len(text.input_ids) for texts in texts_of for text in texts)
    return width, [[[text] for text in texts] for texts in texts_of]


def _cheapest_rows(texts_of: Sequence[Texts], token_cost: float) -> tuple[int, list[list[list[EncodedText]]]]:
    """The row width, and the texts of each row of each adapter, that cost least to read (attention grows by width)."""
    candidates = []
    for n_rows in range(1, max(map(len, texts_of)) + 1):
        rows_of = [_even_rows(texts, n_rows) for texts in texts_of]
        width = max(sum(len(text.input_ids) for text in texts) for rows in rows_of for texts in rows)
        candidates.append((n_rows * width * (token_cost + width), width, rows_of))
    _, width, rows_of = min(candidates, key=lambda candidate: candidate[:2])
    return width, rows_of


def _even_rows(texts: Texts, n_rows: int) -> list[list[EncodedText]]:
    """Texts in at most ``n_rows`` rows of similar length: the longest text first, each into the shortest row."""
    rows: list[list[EncodedText]] = [[] for _ in range(n_rows)]
    lengths = [(0, row) for row in range(n_rows)]
    for text in sorted(texts, key=lambda text: -len(text.input_ids)):
        length, row = heappop(lengths)
        rows[row].append(text)
        heappush(lengths, (length + len(text.input_ids), row))
    return [row for row in rows if row]
