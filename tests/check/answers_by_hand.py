"""Item answers for the tests of a check, with given numbers of gained, lost and unchanged items."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from donorgrid.check import SubjectAnswers, TargetAnswers

CHOICES = ("north", "east", "south", "west")


def subject_answers(correct: np.ndarray, gold: np.ndarray, *, same_as_base: bool = False) -> SubjectAnswers:
    """Answers that choose the gold option where correct and the next option where wrong."""
    chosen = np.where(correct, gold, (gold + 1) % 4)
    return SubjectAnswers(
        correct=correct.astype(bool),
        chosen=chosen,
        answer_texts=[CHOICES[option] for option in chosen],
        same_as_base=same_as_base,
    )


def target_answers(
    name: str,
    *changes: tuple[int, int],
    role: str = "guard",
    n_items: int = 400,
    base_right: int | None = None,
    **more: Any,
) -> TargetAnswers:
    """A target on which adapter k gained and lost ``changes[k]`` items; the base answers two thirds correctly.

    The first items are lost, the last ones gained.
    """
    n_right = (2 * n_items) // 3 if base_right is None else base_right
    base = np.arange(n_items) < n_right
    after = []
    for gained, lost in changes:
        correct = base.copy()
        correct[:lost] = False
        correct[n_items - gained :] = True
        after.append(correct)
    gold = np.arange(n_items) % 4
    values: dict[str, Any] = {
        "name": name,
        "role": role,
        "item_ids": [f"q{number}" for number in range(n_items)],
        "clusters": [f"q{number}" for number in range(n_items)],
        "gold": gold,
        "n_choices": np.full(n_items, 4),
        "base": subject_answers(base, gold, same_as_base=True),
        "adapters": [subject_answers(correct, gold) for correct in after],
        "contexts": [f"Which way is it, {number}?" for number in range(n_items)],
        "gold_texts": [CHOICES[option] for option in gold],
    }
    return TargetAnswers(**values | more)


def verdicts_of(targets: Sequence[Any]) -> dict[str, str]:
    """Target to verdict."""
    return {target.target: target.verdict for target in targets}
