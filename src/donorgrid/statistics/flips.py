"""Paired answers as counts: what became right, what became wrong, and what that says of the difference."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from donorgrid.core.arrays import Flags, Ints
from donorgrid.statistics.errors.clusters import design_effect
from donorgrid.statistics.harm_probability import harm_probability
from donorgrid.statistics.noninferiority import lower_bound, p_value_above, upper_bound
from donorgrid.statistics.paired import Verdict, mean_change_interval


@dataclass(frozen=True, kw_only=True)
class Flips:
    """The items that changed, of one adapter on one target.

    Attributes
    ----------
    gained, lost : int
        Items that became right, and that became wrong.
    n_items : int
        Items compared.
    design_effect : float
        Variance by clusters over variance by items, at least 1.
    """

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
        """Standard deviation of the difference of one item, enlarged by the clusters."""
        mean = (self.gained - self.lost) / self.n_items
        return float(np.sqrt(self.design_effect * ((self.gained + self.lost) / self.n_items - mean**2)))

    def bounds_pp(self, tail: float) -> tuple[float, float]:
        """The lower and the upper bound around the delta, each passed by the truth with at most ``tail``."""
        low = lower_bound(*self._independent_items(up="lost"), tail)
        high = upper_bound(*self._independent_items(up="gained"), tail)
        return min(100.0 * low, self.delta_pp), max(100.0 * high, self.delta_pp)

    def harm_probability(self, limit_pp: float) -> float:
        """The posterior probability of a true delta at or below minus the limit (``harm_probability.PRIOR``)."""
        gained, lost, n_items = (count / self.design_effect for count in (self.gained, self.lost, self.n_items))
        return harm_probability(gained, lost, n_items, limit_pp)

    def p_value_safe(self, limit_pp: float) -> float:
        """The p-value of delta <= -limit."""
        return p_value_above(*self._independent_items(up="lost"), -limit_pp / 100.0)

    def p_value_harmed(self, limit_pp: float) -> float:
        """The p-value of delta >= -limit."""
        gained, lost, n_items = self._independent_items(up="gained")
        return p_value_above(lost, gained, n_items, limit_pp / 100.0)

    def verdict(self, limit_pp: float, tail: float) -> Verdict:
        """The verdict at minus the limit.

        Parameters
        ----------
        limit_pp : float
            The limit in percentage points, 0 or more.
        tail : float
            Level of each of the two one-sided tests.

        Returns
        -------
        str
            "safe" when a loss of the limit or more is excluded, "harmed" when any smaller loss is, else "undecided".
        """
        if self.p_value_safe(limit_pp) <= tail:
            return "safe"
        return "harmed" if self.p_value_harmed(limit_pp) <= tail else "undecided"

    def _independent_items(self, *, up: str) -> tuple[int, int, int]:
        """Gained, lost and all items, as so many independent ones; the side named ``up`` is rounded up."""
        rounding = {"gained": np.floor, "lost": np.floor} | {up: np.ceil}
        items = max(1, int(self.n_items / self.design_effect))
        gained, lost = (int(rounding[name](getattr(self, name) / self.design_effect)) for name in ("gained", "lost"))
        return min(gained, items - min(lost, items)), min(lost, items), items


def flips_of(base: Flags, adapter: Flags, clusters: Ints) -> Flips:
    """Count what changed between the base and an adapter.

    Parameters
    ----------
    base, adapter : ndarray of bool
        Whether each answer is right, shape ``(n_items,)``.
    clusters : ndarray of int
        Index of the cluster that each item belongs to, shape ``(n_items,)``.

    Returns
    -------
    Flips
    """
    change = adapter.astype(np.int64) - base.astype(np.int64)
    return Flips(
        gained=int((change > 0).sum()),
        lost=int((change < 0).sum()),
        n_items=change.size,
        design_effect=design_effect(change, clusters),
    )


def difference_interval(
    pairs: Sequence[tuple[Flags, Flags]], clusters: Sequence[Sequence[str]], *, tail: float
) -> tuple[float, float, float]:
    """The mean over targets of a paired difference, with its interval: the exact one for a single target.

    Parameters
    ----------
    pairs : sequence of (ndarray of bool, ndarray of bool)
        Per target, whether each answer of the reference and of the compared subject is right, shape ``(n_items,)``.
    clusters : sequence of sequence of str
        Per target, what each item shares with others, also with those of other targets.
    tail : float
        Probability in each tail.

    Returns
    -------
    mean, low, high : float
        Percentage points.
    """
    if len(pairs) == 1:
        _, indices = np.unique(np.asarray(clusters[0]), return_inverse=True)
        flips = flips_of(*pairs[0], indices)
        return flips.delta_pp, *flips.bounds_pp(tail)
    changes = [compared.astype(np.float64) - reference.astype(np.float64) for reference, compared in pairs]
    return mean_change_interval(changes, clusters, tail=tail)
