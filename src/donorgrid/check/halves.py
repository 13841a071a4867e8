"""The two halves of every target's items: one half chooses, the other half reports."""

import hashlib
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from donorgrid.check.inputs import Bools, SubjectAnswers, TargetAnswers

FEWEST_ITEMS = 20
"""With fewer items in a half, a choice means nothing."""


def split_in_halves(targets: Sequence[TargetAnswers]) -> tuple[list[TargetAnswers], list[TargetAnswers]] | str:
    """Splits the items of every target in two.

    The halves depend on the item IDs alone, so an item is in the same half in every language and in every check.

    Parameters
    ----------
    targets
        The answers.

    Returns
    -------
    (list of TargetAnswers, list of TargetAnswers) or str
        The half that chooses and the half that reports; in words, why there are none.
    """
    halves = [_first_half(target.item_ids) for target in targets]
    if min(min(half.sum(), (~half).sum()) for half in halves) < FEWEST_ITEMS:
        return f"a target has fewer than {2 * FEWEST_ITEMS} items, too few to choose on one half of them"
    first = [_part(target, half) for target, half in zip(targets, halves, strict=True)]
    second = [_part(target, ~half) for target, half in zip(targets, halves, strict=True)]
    return first, second


def _first_half(item_ids: Sequence[str]) -> Bools:
    """(n_items,) Whether an item belongs to the half that chooses."""
    return np.array([hashlib.sha256(item_id.encode()).digest()[0] % 2 == 0 for item_id in item_ids])


def _part(target: TargetAnswers, keep: Bools) -> TargetAnswers:
    """The target with the items where ``keep`` (n_items,) is true."""

    def kept_texts(texts: Sequence[str]) -> tuple[str, ...]:
        return tuple(np.asarray(texts, dtype=object)[keep])

    def kept_answers(answers: SubjectAnswers) -> SubjectAnswers:
        return replace(
            answers,
            correct=answers.correct[keep],
            chosen=answers.chosen[keep],
            answer_texts=kept_texts(answers.answer_texts),
        )

    return replace(
        target,
        item_ids=kept_texts(target.item_ids),
        clusters=kept_texts(target.clusters),
        gold=target.gold[keep],
        n_choices=target.n_choices[keep],
        base=kept_answers(target.base),
        adapters=[kept_answers(adapter) for adapter in target.adapters],
        contexts=kept_texts(target.contexts),
        gold_texts=kept_texts(target.gold_texts),
    )
