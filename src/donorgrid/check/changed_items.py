"""The items that changed, for the page."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from donorgrid.check.records import TargetAnswers

MOST_SHOWN = 100
"""Per adapter, target and direction."""


@dataclass(frozen=True, kw_only=True)
class Change:
    """One item that the base had right and the adapter wrong (lost), or the other way (gained)."""

    direction: Literal["lost", "gained"]
    item_id: str
    context: str
    gold: str
    base_said: str
    adapter_said: str
    broken_by_all: bool


@dataclass(frozen=True, kw_only=True)
class TargetChanges:
    """The changed items of one target; ``n_left_out`` are not listed."""

    target: str
    changes: tuple[Change, ...]
    n_left_out: int


def changes_of(target: TargetAnswers, place: int) -> TargetChanges:
    """What the adapter at ``place`` changed on a target: losses first, then gains."""
    answers, base = target.adapters[place], target.base
    broken = base.correct & ~np.any([one.correct for one in target.adapters], axis=0)
    lost, gained = np.flatnonzero(base.correct & ~answers.correct), np.flatnonzero(~base.correct & answers.correct)

    def change(item: int, direction: Literal["lost", "gained"]) -> Change:
        return Change(
            direction=direction,
            item_id=target.item_ids[item],
            context=target.contexts[item],
            gold=target.gold_texts[item],
            base_said=base.answer_texts[item],
            adapter_said=answers.answer_texts[item],
            broken_by_all=bool(broken[item]) and len(target.adapters) > 1,
        )

    losses = [change(item, "lost") for item in lost[:MOST_SHOWN]]
    gains = [change(item, "gained") for item in gained[:MOST_SHOWN]]
    n_left_out = lost.size + gained.size - len(losses) - len(gains)
    return TargetChanges(target=target.name, changes=(*losses, *gains), n_left_out=n_left_out)


def all_changes(targets: Sequence[TargetAnswers], place: int) -> tuple[TargetChanges, ...]:
    """What one adapter changed, for the targets where it changed something."""
    return tuple(found for one in targets if (found := changes_of(one, place)).changes)
