"""Paired answers as counts: what became right, what became wrong, and what that says of the difference."""

from dataclasses import dataclass

import numpy as np

from donorgrid.check.inputs import Bools, Ints
from donorgrid.statistics.noninferiority import lower_bound, p_value_above, upper_bound
from donorgrid.statistics.paired import Verdict


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
        """Standard deviation of one item's difference, as clusters inflate it."""
        mean = (self.gained - self.lost) / self.n_items
        return float(np.sqrt(self.design_effect * ((self.gained + self.lost) / self.n_items - mean**2)))

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

    def verdict(self, limit_pp: float, tail: float) -> Verdict:
        """Safe when a loss of the limit or more is excluded, harmed when anything less is, else undecided."""
        if self.p_safe(limit_pp) <= tail:
            return "safe"
        return "harmed" if self.p_harmed(limit_pp) <= tail else "undecided"

    def _weighed(self, *, up: str) -> tuple[int, int, int]:
        """(gained, lost, items) as so many independent items, rounded against the claim that is to be made."""
        by = self.design_effect
        rounding = {"gained": np.floor, "lost": np.floor} | {up: np.ceil}
        items = max(1, int(self.n_items / by))
        gained, lost = (int(rounding[name](getattr(self, name) / by)) for name in ("gained", "lost"))
        return min(gained, items - min(lost, items)), min(lost, items), items


def flips_of(base: Bools, adapter: Bools, clusters: Ints) -> Flips:
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
