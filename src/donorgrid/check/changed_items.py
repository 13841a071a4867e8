"""The items whose answers changed, for the page."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from donorgrid.check.inputs import Bools, TargetAnswers

MOST_SHOWN = 100
"""Per adapter, target and direction."""


@dataclass(frozen=True, kw_only=True)
class Change:
    """One item that the base answers correctly and the adapter wrongly (``lost``), or the reverse (``gained``).

    Attributes
    ----------
    direction, item_id
        ``lost`` or ``gained``, and the item.
    context, gold
        The question and the correct answer as text.
    base_answer, adapter_answer
        The answers as text.
    broken_by_all
        True if there are several adapters, and all of them get wrong what the base answers correctly.
    """

    direction: Literal["lost", "gained"]
    item_id: str
    context: str
    gold: str
    base_answer: str
    adapter_answer: str
    broken_by_all: bool


@dataclass(frozen=True, kw_only=True)
class TargetChanges:
    """The changed items of one target; ``n_left_out`` of them are not listed."""

    target: str
    changes: tuple[Change, ...]
    n_left_out: int


def changes_of(target: TargetAnswers, index: int) -> TargetChanges:
    """The items that one adapter changed on one target.

    Parameters
    ----------
    target
        The answers.
    index
        The adapter's position in ``TargetAnswers.adapters``.

    Returns
    -------
    TargetChanges
        Losses first, then gains; at most ``MOST_SHOWN`` of either.
    """
    answers, base = target.adapters[index], target.base
    broken = broken_by_every_adapter(target)
    lost, gained = np.flatnonzero(base.correct & ~answers.correct), np.flatnonzero(~base.correct & answers.correct)

    def change(item: int, direction: Literal["lost", "gained"]) -> Change:
        return Change(
            direction=direction,
            item_id=target.item_ids[item],
            context=target.contexts[item],
            gold=target.gold_texts[item],
            base_answer=base.answer_texts[item],
            adapter_answer=answers.answer_texts[item],
            broken_by_all=bool(broken[item]) and len(target.adapters) > 1,
        )

    losses = [change(item, "lost") for item in lost[:MOST_SHOWN]]
    gains = [change(item, "gained") for item in gained[:MOST_SHOWN]]
    n_left_out = lost.size + gained.size - len(losses) - len(gains)
    return TargetChanges(target=target.name, changes=(*losses, *gains), n_left_out=n_left_out)


def all_changes(targets: Sequence[TargetAnswers], index: int) -> tuple[TargetChanges, ...]:
    """The items that one adapter changed, target by target.

    Parameters
    ----------
    targets
        The answers.
    index
        The adapter's position in ``TargetAnswers.adapters``.

    Returns
    -------
    tuple of TargetChanges
        Targets without a change are left out.
    """
    return tuple(changes for target in targets if (changes := changes_of(target, index)).changes)


def broken_by_every_adapter(target: TargetAnswers) -> Bools:
    """(n_items,) True where the base answers correctly and every adapter wrongly."""
    broken: Bools = target.base.correct & ~np.any([adapter.correct for adapter in target.adapters], axis=0)
    return broken
