"""What a check returns: verdicts, comparisons, a recommendation. Shares are 0-1, deltas percentage points (pp)."""

from dataclasses import dataclass
from typing import Literal

from donorgrid.check.inputs import CheckSettings, Role
from donorgrid.statistics.degeneracy import BaseState
from donorgrid.statistics.paired import Verdict

GainVerdict = Literal["gained", "lost", "undecided"]


@dataclass(frozen=True, kw_only=True)
class TargetVerdict:
    """The verdict on one adapter and one target.

    Attributes
    ----------
    target, role, metric
        As in ``TargetAnswers``.
    n_items, n_right_base, n_right
        Items, and the correct answers of base and adapter.
    gained, lost
        Items that became correct, and items that became wrong.
    delta_pp, low_pp, high_pp
        The paired difference and its interval.
    verdict
        For a guard: ``safe``, ``harmed`` or ``undecided`` (non-inferiority at the limit). For a target to gain on:
        ``gained``, ``lost`` or ``undecided``.
    items_needed
        How many items would decide an undecided target if the delta is as measured. None if it is decided, or if the
        delta is at the limit itself.
    p_value_harmed, p_value_safe
        One-sided p-values at the limit (at 0 for a target to gain on): small if the delta is shown to be below it, or
        above it.
    p_value_harmed_adjusted
        The first after Holm's correction over the adapter's guards; None for targets to gain on.
    harm_probability
        The posterior probability of a true delta at or below the limit, under the prior
        ``statistics.harm_probability.PRIOR``. None for targets to gain on, and for degenerate guards.
    degenerate, base_state
        Why the base shows no skill on the target, in words, and where it stands; None if it shows skill. A degenerate
        guard stays undecided: there is no skill to keep or to lose.
    same_as_base
        As in ``SubjectAnswers``.
    design_effect
        The factor by which clusters raise the variance; 1 or more.
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
    p_value_harmed: float
    p_value_safe: float
    p_value_harmed_adjusted: float | None
    harm_probability: float | None
    degenerate: str | None
    base_state: BaseState | None
    same_as_base: bool
    design_effect: float


@dataclass(frozen=True, kw_only=True)
class AdapterVerdict:
    """All verdicts on one adapter. ``joint`` is the intersection-union verdict over its guards; None without guards."""

    name: str
    targets: tuple[TargetVerdict, ...]
    joint: Verdict | None

    @property
    def guards(self) -> tuple[TargetVerdict, ...]:
        """The guards."""
        return tuple(target for target in self.targets if target.role == "guard")

    @property
    def on(self) -> tuple[TargetVerdict, ...]:
        """The targets to gain on."""
        return tuple(target for target in self.targets if target.role == "on")


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Two adapters on the same items.

    Attributes
    ----------
    first, second
        The adapters' names.
    role, n_targets
        The role of the compared targets, and how many there are.
    delta_pp, low_pp, high_pp
        The mean over these targets of (first - second), with its interval.
    """

    first: str
    second: str
    role: Role
    n_targets: int
    delta_pp: float
    low_pp: float
    high_pp: float


@dataclass(frozen=True, kw_only=True)
class Recommendation:
    """The adapter chosen on one half of the items, and its results on the other half.

    Attributes
    ----------
    name
        None if no adapter can be recommended.
    reason
        Why this adapter, or why none.
    role
        The role of the targets on which adapters are ranked.
    apparent_pp
        Its mean delta on the half that chose it.
    honest_pp, honest_low_pp, honest_high_pp
        Its mean delta on the other half, with the interval.
    joint
        The joint verdict on its guards, on the other half.
    best_share
        How often it is the best on random halves of the items, 0-1.
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
class StrengthPoint:
    """An adapter at one strength: W0 + strength (W' - W0).

    Attributes
    ----------
    strength
        0 to 1.5; above 1 it is extrapolated.
    gain_pp, gain_low_pp, gain_high_pp
        The mean delta over the targets to gain on, with its interval; None without such targets.
    worst_guard, worst_pp, worst_low_pp, worst_high_pp
        The guard with the lowest delta, its delta and interval; None without guards on which the base shows skill.
    joint
        The joint verdict on the guards; None without guards.
    """

    strength: float
    gain_pp: float | None
    gain_low_pp: float | None
    gain_high_pp: float | None
    worst_guard: str | None
    worst_pp: float | None
    worst_low_pp: float | None
    worst_high_pp: float | None
    joint: Verdict | None


@dataclass(frozen=True, kw_only=True)
class StrengthChoice:
    """The largest strength at which every guard is safe: chosen on one half of the items, reported on the other.

    Attributes
    ----------
    strength
        None if no strength above 0 can be recommended.
    reason
        Why this one, or why none.
    chosen_on, reported_on
        The chosen strength on the half that chose it and on the other half; None if none was chosen.
    items_needed
        How many items the guards need that left every strength undecided; None if one was chosen, or unknown.
    """

    strength: float | None
    reason: str
    chosen_on: StrengthPoint | None = None
    reported_on: StrengthPoint | None = None
    items_needed: int | None = None


@dataclass(frozen=True, kw_only=True)
class StrengthCurve:
    """An adapter at several strengths on all items, and the choice among them where one was wanted."""

    adapter: str
    points: tuple[StrengthPoint, ...]
    choice: StrengthChoice | None = None


@dataclass(frozen=True, kw_only=True)
class CheckResult:
    """A whole check.

    Attributes
    ----------
    base, settings
        The base model's name, and how the check judges.
    adapters
        A verdict per adapter.
    broken_by_all
        Target to the IDs of the items that the base answers correctly and every adapter gets wrong.
    comparisons, recommendation
        Only with several adapters.
    notes
        What was not used, and why.
    strengths
        A curve per adapter, where strengths were asked for.
    """

    base: str
    settings: CheckSettings
    adapters: tuple[AdapterVerdict, ...]
    broken_by_all: dict[str, tuple[str, ...]]
    comparisons: tuple[Comparison, ...] = ()
    recommendation: Recommendation | None = None
    notes: tuple[str, ...] = ()
    strengths: tuple[StrengthCurve, ...] = ()
