"""Training texts side by side without padding waste: short texts share a row, and no adapter waits for another's."""

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
    """The texts of K adapters, each with as many rows as any other.

    ``heads`` are the flat places whose next token is supervised, ``targets`` those tokens, ``owners`` their adapters.
    """

    rows: RowBatch
    heads: Tensor
    targets: Tensor
    owners: Tensor


def batch_texts(texts_of: Sequence[Texts], *, packs: bool, token_worth: float) -> TextBatch:
    """One batch of the texts of each adapter. Without ``packs`` each text has a row of its own."""
    width, bins_of = _best_bins(texts_of, token_worth) if packs else _apart(texts_of)
    n_rows = max(map(len, bins_of))
    rows, heads, targets, owners = [], [], [], []
    for owner, bins in enumerate(bins_of):
        for number, texts in enumerate(bins):
            supervised = np.concatenate([text.supervised[1 : len(text.input_ids) + 1] for text in texts])
            following = np.concatenate([text.token_ids[1 : len(text.input_ids) + 1] for text in texts])
            (places,) = supervised.nonzero()
            rows.append(packed_row([text.input_ids for text in texts]))
            heads.append(places + (owner * n_rows + number) * width)
            targets.append(following[places])
            owners.append(np.full(len(places), owner))
        rows += [_EMPTY] * (n_rows - len(bins))
    return TextBatch(
        rows=pad_rows(rows, length=width),
        heads=torch.from_numpy(np.concatenate(heads)),
        targets=torch.from_numpy(np.concatenate(targets)),
        owners=torch.from_numpy(np.concatenate(owners)),
    )


def _apart(texts_of: Sequence[Texts]) -> tuple[int, list[list[list[EncodedText]]]]:
    width = max(len(text.input_ids) for texts in texts_of for text in texts)
    return width, [[[text] for text in texts] for texts in texts_of]


def _best_bins(texts_of: Sequence[Texts], token_worth: float) -> tuple[int, list[list[list[EncodedText]]]]:
    """The row width, and the texts of each row of each adapter, that cost least to read (attention grows by width)."""
    candidates = []
    for n_rows in range(1, max(map(len, texts_of)) + 1):
        bins_of = [_level(texts, n_rows) for texts in texts_of]
        width = max(sum(len(text.input_ids) for text in texts) for bins in bins_of for texts in bins)
        candidates.append((n_rows * width * (token_worth + width), width, bins_of))
    _, width, bins_of = min(candidates, key=lambda one: one[:2])
    return width, bins_of


def _level(texts: Texts, n_rows: int) -> list[list[EncodedText]]:
    """Texts in at most ``n_rows`` rows of much the same length: each, the longest first, joins the shortest row."""
    rows: list[list[EncodedText]] = [[] for _ in range(n_rows)]
    lengths = [(0, row) for row in range(n_rows)]
    for text in sorted(texts, key=lambda one: -len(one.input_ids)):
        length, row = heappop(lengths)
        rows[row].append(text)
        heappush(lengths, (length + len(text.input_ids), row))
    return [row for row in rows if row]
