"""The verdict on one adapter and one target: paired, item by item, by non-inferiority at the limit."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np

from donorgrid.check.records import CheckSettings, GainVerdict, Ints, SubjectAnswers, TargetAnswers, TargetVerdict, Yes
from donorgrid.statistics.degeneracy import degenerate_reasons
from donorgrid.statistics.noninferiority import lower_bound, p_value_above, upper_bound
from donorgrid.statistics.paired import Verdict, items_to_decide, joint_verdict, verdicts

MOST_ITEMS = 1_000_000
"""More items than this decide nothing in practice: the delta stands at the limit."""


@dataclass(frozen=True, kw_only=True)
class Flips:
    """Items that became right and that became wrong, of how many. ``design_effect``: of clusters on the variance."""

    gained: int
    lost: int
    n_items: int
    design_effect: float = 1.0

    @property
    def delta_pp(self) -> float:
        """The paired difference."""
        return 100.0 * (self.gained - self.lost) / self.n_items

    @property
    def item_sd(self) -> float:
        """Standard deviation of one item's difference, with one pseudo-item gained and one lost."""
        larger = self.n_items + 2
        mean = (self.gained - self.lost) / larger
        return float(np.sqrt(self.design_effect * ((self.gained + self.lost + 2) / larger - mean**2)))

    def bounds_pp(self, tail: float) -> tuple[float, float]:
        """The lower and the upper bound of the delta, each passed by the truth with at most ``tail``."""
        low = lower_bound(*self._weighed(up="lost"), tail)
        high = upper_bound(*self._weighed(up="gained"), tail)
        return 100.0 * low, 100.0 * high

    def p_safe(self, limit_pp: float) -> float:
        """The p-value of delta <= -limit."""
        return p_value_above(*self._weighed(up="lost"), -limit_pp / 100.0)

    def p_harmed(self, limit_pp: float) -> float:
        """The p-value of delta >= -limit."""
        gained, lost, n_items = self._weighed(up="gained")
        return p_value_above(lost, gained, n_items, limit_pp / 100.0)

    def _weighed(self, *, up: str) -> tuple[int, int, int]:
        """(gained, lost, items) as so many independent items, rounded against the claim that is to be made."""
        by = self.design_effect
        rounding = {"gained": np.floor, "lost": np.floor} | {up: np.ceil}
        items = max(1, int(self.n_items / by))
        gained, lost = (int(rounding[name](getattr(self, name) / by)) for name in ("gained", "lost"))
        return min(gained, items - min(lost, items)), min(lost, items), items


def flips_of(base: Yes, adapter: Yes, clusters: Ints) -> Flips:
    """Count the flips; ``clusters`` (n,) numbers what items share."""
    change = adapter.astype(np.int64) - base.astype(np.int64)
    return Flips(
        gained=int((change > 0).sum()),
        lost=int((change < 0).sum()),
        n_items=change.size,
        design_effect=_design_effect(change, clusters),
    )


def _design_effect(change: Ints, clusters: Ints) -> float:
    """Variance of the mean by clusters over that by items, at least 1 (Kish 1965, section 5.4)."""
    centred = change - change.mean()
    by_items = float((centred**2).sum())
    sums = np.bincount(clusters, weights=centred)
    if sums.size in (1, change.size) or by_items == 0.0:
        return 1.0
    by_clusters = float((sums**2).sum()) * sums.size / (sums.size - 1)
    return max(1.0, by_clusters / by_items)


def judge_target(target: TargetAnswers, adapter: SubjectAnswers, settings: CheckSettings) -> TargetVerdict:
    """The verdict on ``adapter`` (one of the target's) on one target."""
    _, clusters = np.unique(np.asarray(target.clusters), return_inverse=True)
    flips = flips_of(target.base.right, adapter.right, clusters)
    limit_pp = settings.limit_pp if target.role == "guard" else 0.0
    low, high = (0.0, 0.0) if adapter.same_as_base else _bounds(flips, limit_pp, settings)
    reason = degenerate_reason(target)
    verdict = joint_verdict(verdicts(np.array([low]), np.array([high]), limit_pp))
    if adapter.same_as_base:
        verdict = "safe" if target.role == "guard" else "undecided"
    elif reason is not None:
        verdict = "undecided"
    open_question = verdict == "undecided" and reason is None and not adapter.same_as_base
    return TargetVerdict(
        target=target.name,
        role=target.role,
        metric=target.metric,
        n_items=flips.n_items,
        n_right_base=int(target.base.right.sum()),
        n_right=int(adapter.right.sum()),
        gained=flips.gained,
        lost=flips.lost,
        delta_pp=flips.delta_pp,
        low_pp=low,
        high_pp=high,
        verdict=_GAIN[verdict] if target.role == "on" else verdict,
        items_needed=_items_needed(flips, limit_pp, settings) if open_question else None,
        harm_p=1.0 if adapter.same_as_base else flips.p_harmed(limit_pp),
        harm_p_adjusted=None,
        degenerate=reason,
        same_as_base=adapter.same_as_base,
        design_effect=flips.design_effect,
    )


def _bounds(flips: Flips, limit_pp: float, settings: CheckSettings) -> tuple[float, float]:
    """The interval; where its inversion and the test at the limit disagree by a hair, the test has the word."""
    low, high = flips.bounds_pp(settings.tail)
    if flips.p_safe(limit_pp) > settings.tail:
        low = min(low, -limit_pp)
    if flips.p_harmed(limit_pp) > settings.tail:
        high = max(high, -limit_pp)
    return low, high


_GAIN: dict[Verdict, GainVerdict] = {"safe": "gained", "harmed": "lost", "undecided": "undecided"}
"""At the limit 0, not inferior means that it gained."""


def _items_needed(flips: Flips, limit_pp: float, settings: CheckSettings) -> int | None:
    distance = np.array([flips.delta_pp + limit_pp])
    needed = items_to_decide(np.array([flips.item_sd]), distance, tail=settings.tail, power=settings.power)[0]
    return int(needed) if needed <= MOST_ITEMS else None


def degenerate_reason(target: TargetAnswers) -> str | None:
    """Why the base's answers on a target measure format and not skill; None when they do not, or are generated."""
    if not target.n_choices.all():
        return None
    reasons = degenerate_reasons(
        n_right=int(target.base.right.sum()),
        chosen=target.base.chosen,
        gold=target.gold,
        n_choices=target.n_choices,
    )
    if len(target.item_ids) > 1 and len(set(target.gold_texts)) == 1:
        reasons = (*reasons, f"every item has the same right answer, '{target.gold_texts[0]}'")
    return "; ".join(reasons) or None


def with_holm(guards: tuple[TargetVerdict, ...]) -> tuple[TargetVerdict, ...]:
    """The verdicts with their p-values of harm adjusted for their number (Holm 1979, Scand. J. Stat. 6, 65-70)."""
    if not guards:
        return guards
    p_values = np.array([one.harm_p for one in guards])
    order = np.argsort(p_values, kind="stable")
    adjusted = np.empty_like(p_values)
    stepped = p_values[order] * (len(guards) - np.arange(len(guards)))
    adjusted[order] = np.minimum(1.0, np.maximum.accumulate(stepped))
    return tuple(replace(one, harm_p_adjusted=float(p)) for one, p in zip(guards, adjusted, strict=True))


def joint(guards: Iterable[str]) -> Verdict | None:
    """The verdict on a set of guards: safe only if every one is. None for no guards."""
    found = np.array(list(guards))
    return joint_verdict(found) if found.size else None
