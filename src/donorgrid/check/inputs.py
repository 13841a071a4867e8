"""What a check reads: its settings, and the item answers of base and adapters on every target."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import numpy.typing as npt

from donorgrid.core.errors import InputError

Role = Literal["on", "guard"]
"""``on``: a target to gain on. ``guard``: a target that must not be harmed."""
Bools = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class CheckSettings:
    """How a check judges.

    Attributes
    ----------
    limit_pp
        A guard may lose less than this; 0 to 100 pp.
    tail
        The probability with which the truth lies beyond each bound, below 0.5; intervals have confidence 1 - 2 tail.
    power
        The power for which ``items_needed`` is computed, 0-1.
    n_splits
        Random halves of the items that say how stable the choice between adapters is.
    seed
        Of these random halves.

    Raises
    ------
    InputError
        If a value is out of range.
    """

    limit_pp: float = 1.0
    tail: float = 0.05
    power: float = 0.8
    n_splits: int = 200
    seed: int = 0

    def __post_init__(self) -> None:
        if not 0 <= self.limit_pp <= 100:
            raise InputError(f"limit {-self.limit_pp:g}: expected a change in percentage points from -100 to 0")
        if not 0 < self.tail < 0.5 or not 0 < self.power < 1:
            raise InputError(f"tail {self.tail}, power {self.power}: expected shares, the tail below 0.5")

    @property
    def confidence(self) -> float:
        """The confidence of the intervals, 0-1."""
        return 1.0 - 2.0 * self.tail


@dataclass(frozen=True, kw_only=True)
class SubjectAnswers:
    """The answers of the base or of an adapter on one target, item by item.

    Attributes
    ----------
    correct
        (n_items,) whether the answer is correct.
    chosen
        (n_items,) the index of the chosen option; -1 for a generated answer.
    answer_texts
        (n_items,) the chosen options or generated answers as text.
    same_as_base
        True for the base, and for an adapter of which no score or weight differs from the base.
    """

    correct: Bools
    chosen: Ints
    answer_texts: Sequence[str]
    same_as_base: bool = False


@dataclass(frozen=True, kw_only=True)
class TargetAnswers:
    """One target with the answers of the base and of every adapter to the same items.

    Attributes
    ----------
    name, role, metric
        The target's name, ``on`` or ``guard``, and how its answers are judged.
    item_ids
        (n_items,) unique IDs.
    clusters
        (n_items,) names of what items share, such as a passage; an item that shares nothing has a name of its own.
    gold, n_choices
        (n_items,) the index of the correct option and the number of options; both 0 for generated answers.
    base, adapters
        The answers; the adapters are in the order of the check.
    contexts, gold_texts
        (n_items,) the question and the correct answer as the page shows them.
    gold_labels
        (n_items,) the classes of the correct answers; None where answers are checked and not compared.
    pooled
        True for the items of other targets together. They are judged, and left out where targets are combined.
    """

    name: str
    role: Role
    item_ids: Sequence[str]
    clusters: Sequence[str]
    gold: Ints
    n_choices: Ints
    base: SubjectAnswers
    adapters: Sequence[SubjectAnswers]
    contexts: Sequence[str] = field(repr=False)
    gold_texts: Sequence[str] = field(repr=False)
    metric: str = "acc"
    gold_labels: Sequence[str] | None = field(default=None, repr=False)
    pooled: bool = False
