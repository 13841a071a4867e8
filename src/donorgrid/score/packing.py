"""All options of an item in one row, what they share read once; rows side by side under a token budget.

A row holds the tokens of one item's context and options as a tree, or of several items when what they have in common
(a preamble) is worth more than the attention between them costs.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from donorgrid.models.rows import Row, RowBatch, Tokens, common_prefix_length, pad_rows, prefix_tree_row
from donorgrid.score.encode import EncodedItem
from donorgrid.score.sequences import ScoredSequence, sequence_of

_FILLED, _ENOUGH_TOKENS = 0.95, 512
_LONGEST_ROW = 2048


@dataclass(frozen=True, kw_only=True)
class PlannedRow:
    """A row, and what is read off it: at ``places``, the log-probability of ``targets``, for sequence ``owners``."""

    row: Row
    places: tuple[int, ...]
    targets: tuple[int, ...]
    owners: tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class PackedBatch:
    """Rows side by side as tensors.

    ``heads`` are the flat places where the output head is needed, ``readers`` the index into them of each prediction.
    """

    planned: tuple[PlannedRow, ...]
    rows: RowBatch
    heads: Tensor
    readers: Tensor
    targets: Tensor
    owners: Tensor

    @property
    def n_tokens(self) -> int:
        """Tokens that are computed, fillers among them."""
        return self.rows.input_ids.numel()


@dataclass(frozen=True, kw_only=True)
class PackedItems:
    """Items made ready once for any number of adapters.

    ``options[i][k]`` is the index of the sequence that scores option k of item i. ``batches`` may be replaced by
    smaller ones when memory is short. ``n_needed`` counts tokens without fillers.
    """

    items: tuple[EncodedItem, ...]
    sequences: tuple[ScoredSequence, ...]
    options: tuple[tuple[int, ...], ...]
    batches: list[PackedBatch]
    n_needed: int


def pack_items(items: Sequence[EncodedItem], *, max_length: int, budget: int, token_worth: float) -> PackedItems:
    """Pack items into batches of at most ``budget`` tokens (a longer row stands alone).

    ``token_worth`` is what reading one token costs, in pairs of tokens that see each other in one attention layer.
    """
    index: dict[ScoredSequence, int] = {}
    wanted = [[sequence_of(item, tail, max_length) for tail in item.continuations] for item in items]
    options = tuple(tuple(index.setdefault(one, len(index)) for one in row) for row in wanted)
    longest = min(budget, _LONGEST_ROW)
    groups = _groups({frozenset(row) for row in options}, tuple(index), token_worth=token_worth, longest=longest)
    planned = sorted((_plan(group, tuple(index)) for group in groups), key=lambda one: (len(one.row), one.owners))
    return PackedItems(
        items=tuple(items),
        sequences=tuple(index),
        options=options,
        batches=[assemble(batch) for batch in _batches(planned, budget)],
        n_needed=sum(len(one.row) for one in planned),
    )


def assemble(planned: Sequence[PlannedRow]) -> PackedBatch:
    """Planned rows as one batch of tensors."""
    width = max(len(one.row) for one in planned)
    places = np.concatenate([np.asarray(one.places) + width * number for number, one in enumerate(planned)])
    order = np.argsort(places, kind="stable")
    heads, readers = np.unique(places[order], return_inverse=True)
    targets = np.concatenate([one.targets for one in planned])[order]
    owners = np.concatenate([one.owners for one in planned])[order]
    return PackedBatch(
        planned=tuple(planned),
        rows=pad_rows([one.row for one in planned]),
        heads=torch.from_numpy(heads),
        readers=torch.from_numpy(readers),
        targets=torch.from_numpy(targets),
        owners=torch.from_numpy(owners),
    )


def halves(batch: PackedBatch, sequences: tuple[ScoredSequence, ...]) -> list[PackedBatch]:
    """A batch as two smaller ones, of half its rows, or of half its only row's sequences; itself when it has one."""
    planned = batch.planned
    if len(planned) == 1:
        owners = sorted(set(planned[0].owners))
        parts = [owners[: len(owners) // 2], owners[len(owners) // 2 :]]
        return [assemble([_plan(part, sequences)]) for part in parts if part]
    return [assemble(planned[: len(planned) // 2]), assemble(planned[len(planned) // 2 :])]


def _groups(
    items: set[frozenset[int]], sequences: tuple[ScoredSequence, ...], *, token_worth: float, longest: int
) -> list[list[int]]:
    """Which sequences share a row. A sequence that two items have is read in the first of them."""
    in_order = sorted(sorted(item, key=lambda one: sequences[one].token_ids) for item in items)
    in_order.sort(key=lambda item: sequences[item[0]].token_ids)
    groups: list[list[int]] = []
    done: set[int] = set()
    size = 0
    for item in in_order:
        new = [one for one in item if one not in done]
        if not new:
            continue
        done.update(new)
        own_size = len(prefix_tree_row(_read(new, sequences))[0])
        shared = common_prefix_length(_read(groups[-1][-1:], sequences)[0], _read(new, sequences)[0]) if groups else 0
        joined = size + own_size - shared
        if shared * token_worth > joined**2 - size**2 - own_size**2 and joined <= longest:
            groups[-1] += new
            size = joined
        else:
            groups.append(new)
            size = own_size
    return groups


def _read(owners: Sequence[int], sequences: tuple[ScoredSequence, ...]) -> list[Tokens]:
    """What of each sequence the model reads, sorted: the last token is only predicted."""
    return sorted(sequences[one].token_ids[:-1] for one in owners)


def _plan(group: Sequence[int], sequences: tuple[ScoredSequence, ...]) -> PlannedRow:
    in_order = sorted(group, key=lambda one: (sequences[one].token_ids[:-1], one))
    row, paths = prefix_tree_row([sequences[one].token_ids[:-1] for one in in_order])
    places: list[int] = []
    targets: list[int] = []
    owners: list[int] = []
    for owner, path in zip(in_order, paths, strict=True):
        one = sequences[owner]
        places += path[len(path) - one.n :]
        targets += one.token_ids[len(one.token_ids) - one.n :]
        owners += [owner] * one.n
    return PlannedRow(row=row, places=tuple(places), targets=tuple(targets), owners=tuple(owners))


def _batches(planned: Sequence[PlannedRow], budget: int) -> list[list[PlannedRow]]:
    """Rows, shortest first, side by side: none over the budget, and none that is mostly fillers once it is large."""
    batches: list[list[PlannedRow]] = []
    needed = 0
    for one in planned:
        width = len(one.row)
        size = (len(batches[-1]) + 1) * width if batches else 0
        wasteful = needed >= _ENOUGH_TOKENS and needed + width < _FILLED * size
        if not batches or size > budget or wasteful:
            batches.append([])
            needed = 0
        batches[-1].append(one)
        needed += width
    return batches
