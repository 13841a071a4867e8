"""What a check reads and what it finds: frozen records. Shares are 0-1, deltas percentage points (pp)."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import numpy.typing as npt

from donorgrid.core.errors import InputError
from donorgrid.statistics.paired import Verdict

Role = Literal["on", "guard"]
GainVerdict = Literal["gained", "lost", "undecided"]
Yes = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class CheckSettings:
    """How a check judges.

    ``limit_pp``: a guard may lose less than this. ``tail``: the probability with which a bound may be passed, so that
    intervals are 1 - 2 tail. ``power``: of the items that are said to decide what is undecided. ``n_splits`` random
    halves of the items say how firm a choice between adapters is.
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
        """The confidence of the intervals."""
        return 1.0 - 2.0 * self.tail


@dataclass(frozen=True, kw_only=True)
class SubjectAnswers:
    """What the base or an adapter answered on one target, item by item.

    ``correct`` (n,) says whether it was right, ``chosen`` (n,) which option it chose (-1 for a generated answer), and
    ``answer_texts`` the same as text. ``same_as_base`` says that not one score or weight differs from the base's.
    """

    correct: Yes
    chosen: Ints
    answer_texts: Sequence[str]
    same_as_base: bool = False


@dataclass(frozen=True, kw_only=True)
class TargetAnswers:
    """One target with everybody's answers to the same items.

    ``gold`` (n,) is the right option and ``n_choices`` (n,) their number (0 where the answer is generated);
    ``clusters`` names what items share (a passage), each item its own where nothing. ``contexts`` and ``gold_texts``
    are what the page shows.
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


@dataclass(frozen=True, kw_only=True)
class TargetVerdict:
    """The verdict on one adapter and one target.

    ``verdict`` is that of non-inferiority for a guard and of a change for a target to gain on. ``items_needed`` decide
    an undecided one if the delta is as measured; None when it is decided, or stands at the limit. ``harm_p`` is the
    one-sided p-value of harm, ``harm_p_adjusted`` after Holm over the adapter's guards. ``degenerate`` is the reason
    why the target measures no skill; then nothing is decided on it.
    """

    target: str
    role: Role
    metric: str
    n_items: int
    n_right_base: int
    n_right: int
    gained: int
    lost: int
    delta_pp: float
    low_pp: float
    high_pp: float
    verdict: Verdict | GainVerdict
    items_needed: int | None
    harm_p: float
    harm_p_adjusted: float | None
    degenerate: str | None
    same_as_base: bool
    design_effect: float


@dataclass(frozen=True, kw_only=True)
class AdapterVerdict:
    """Everything found on one adapter. ``joint`` is the intersection-union verdict; None without a guard."""

    name: str
    targets: tuple[TargetVerdict, ...]
    joint: Verdict | None

    @property
    def guards(self) -> tuple[TargetVerdict, ...]:
        """The guarded targets."""
        return tuple(one for one in self.targets if one.role == "guard")

    @property
    def on(self) -> tuple[TargetVerdict, ...]:
        """The targets to gain on."""
        return tuple(one for one in self.targets if one.role == "on")


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Two adapters on the same items: the mean over targets of one role of (first - second), with its interval."""

    first: str
    second: str
    role: Role
    n_targets: int
    delta_pp: float
    low_pp: float
    high_pp: float


@dataclass(frozen=True, kw_only=True)
class Recommendation:
    """The adapter chosen on one half of the items, and what the other half says of it.

    ``apparent_pp`` is its mean delta on the half that chose it, ``honest_pp`` with its interval on the other, where its
    guards give ``joint``. ``best_share``: how often the same rule chooses it on random halves. Without ``name`` no
    adapter can be recommended, and ``reason`` says why.
    """

    name: str | None
    reason: str
    role: Role
    apparent_pp: float | None = None
    honest_pp: float | None = None
    honest_low_pp: float | None = None
    honest_high_pp: float | None = None
    joint: Verdict | None = None
    best_share: float | None = None


@dataclass(frozen=True, kw_only=True)
class CheckResult:
    """A whole check. ``broken_by_all``: by target, the items that the base has right and every adapter wrong."""

    base: str
    settings: CheckSettings
    adapters: tuple[AdapterVerdict, ...]
    broken_by_all: dict[str, tuple[str, ...]]
    comparisons: tuple[Comparison, ...] = ()
    recommendation: Recommendation | None = None
    notes: tuple[str, ...] = ()
