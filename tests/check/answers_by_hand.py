"""Item answers made by hand for the tests of a check: so many gained, lost and kept."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from donorgrid.check import SubjectAnswers, TargetAnswers

CHOICES = ("north", "east", "south", "west")


def made_subject(right: np.ndarray, gold: np.ndarray, *, same_as_base: bool = False) -> SubjectAnswers:
    """Answers that choose the gold option where right and the next one where wrong."""
    chosen = np.where(right, gold, (gold + 1) % 4)
    return SubjectAnswers(
        correct=right.astype(bool),
        chosen=chosen,
        answer_texts=[CHOICES[one] for one in chosen],
        same_as_base=same_as_base,
    )


def made_target(
    name: str,
    *changes: tuple[int, int],
    role: str = "guard",
    n_items: int = 400,
    base_right: int | None = None,
    **more: Any,
) -> TargetAnswers:
    """A target on which adapter k gained and lost ``changes[k]`` items; the base has two thirds right.

    Losses come from the first items on, gains from the last ones on.
    """
    n_right = (2 * n_items) // 3 if base_right is None else base_right
    base = np.arange(n_items) < n_right
    rights = []
    for gained, lost in changes:
        right = base.copy()
        right[:lost] = False
        right[n_items - gained :] = True
        rights.append(right)
    gold = np.arange(n_items) % 4
    values: dict[str, Any] = {
        "name": name,
        "role": role,
        "item_ids": [f"q{place}" for place in range(n_items)],
        "clusters": [f"q{place}" for place in range(n_items)],
        "gold": gold,
        "n_choices": np.full(n_items, 4),
        "base": made_subject(base, gold, same_as_base=True),
        "adapters": [made_subject(right, gold) for right in rights],
        "contexts": [f"Which way is it, {place}?" for place in range(n_items)],
        "gold_texts": [CHOICES[one] for one in gold],
    }
    return TargetAnswers(**values | more)


def verdicts_of(targets: Sequence[Any]) -> dict[str, str]:
    """Target to verdict."""
    return {one.target: one.verdict for one in targets}
