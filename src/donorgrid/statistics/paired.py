"""Paired differences of item answers: intervals that survive few flips, joint verdicts, and the items that decide."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy.special import ndtri

from donorgrid.core.arrays import Reals

Verdict = Literal["safe", "harmed", "undecided"]
PSEUDO_ITEMS = 2.0
"""One made-up item gained and one lost: without them a cell with no flips would have no uncertainty."""


@dataclass(frozen=True, kw_only=True)
class PairedBounds:
    """Adjusted deltas and their standard errors in percentage points, shape ``(n,)``."""

    centre_pp: Reals
    se_pp: Reals

    def bounds(self, tail: float) -> tuple[Reals, Reals]:
        """Lower and upper bounds, each passed by the truth with probability ``tail``."""
        half = float(ndtri(1.0 - tail)) * self.se_pp
        return self.centre_pp - half, self.centre_pp + half


def paired_bounds(
    delta_pp: Reals,
    se_pp: Reals,
    n_items: Reals,
    *,
    n_seeds: Reals | float = 1.0,
    extra_variance: Reals | float = 0.0,
) -> PairedBounds:
    """Adjusted paired estimates: one pseudo-item gained and one lost are added to the items.

    For one seed this is the interval of Bonett & Price (2012, J. Educ. Behav. Stat. 37(4)) for two paired proportions:
    (b - c) / (n + 2) with variance ((b + c + 2) / (n + 2) - estimate^2) / (n + 2). For S seeds b - c becomes the sum of
    the items' mean differences and the pseudo-items weigh 2 / S: they flip as one seed in S does.

    Parameters
    ----------
    delta_pp, se_pp : ndarray
        Deltas and their plain standard errors over items, percentage points, shape ``(n,)``.
    n_items : ndarray
        Items (not times seeds), shape ``(n,)``.
    n_seeds : ndarray or float
        Train seeds that are pooled.
    extra_variance : ndarray or float
        What items do not carry, such as the spread between training runs, squared pp.

    Returns
    -------
    PairedBounds
    """
    n = np.asarray(n_items, dtype=np.float64)
    share, se = delta_pp / 100.0, se_pp / 100.0
    squares = se**2 * n * np.maximum(n - 1.0, 0.0) + n * share**2
    larger = n + PSEUDO_ITEMS
    centre = share * n / larger
    variance = ((squares + PSEUDO_ITEMS / n_seeds) / larger - centre**2) / larger
    return PairedBounds(centre_pp=100.0 * centre, se_pp=np.sqrt(1e4 * np.maximum(variance, 0.0) + extra_variance))


def null_se_pp(delta_pp: Reals, se_pp: Reals, n_items: Reals) -> Reals:
    """The standard error if gains and losses were equally likely: sqrt(sum d^2) / n, the sign-flip scale.

    Parameters
    ----------
    delta_pp, se_pp : ndarray
        Deltas and their standard errors over items, percentage points, shape ``(n,)``.
    n_items : ndarray
        Items, shape ``(n,)``.

    Returns
    -------
    ndarray
        Percentage points, shape ``(n,)``.
    """
    n = np.maximum(np.asarray(n_items, dtype=np.float64), 1.0)
    return np.sqrt(se_pp**2 * np.maximum(n - 1.0, 0.0) / n + delta_pp**2 / n)


def assumed_se_pp(flip_rate: float, n_items: Reals) -> Reals:
    """The standard error of a delta if that share of independent items flips, half each way: 100 sqrt(f / n).

    Parameters
    ----------
    flip_rate : float
        Share of items whose answer changes (f), from 0 to 1.
    n_items : ndarray
        Items (n), shape ``(n,)``.

    Returns
    -------
    ndarray
        Percentage points, shape ``(n,)``.
    """
    return np.asarray(100.0 * np.sqrt(flip_rate / n_items))


def mean_change_interval(
    changes: Sequence[Reals], item_ids: Sequence[Sequence[str]], *, tail: float
) -> tuple[float, float, float]:
    """The mean over targets of their items' mean changes, with a normal interval.

    Items with one ID count as one draw in all targets that have them (languages of a task), so the error is taken over
    IDs. One pseudo-item gained and one lost keep it above zero, as for a single target.

    Parameters
    ----------
    changes : sequence of ndarray
        Change of each item (from -1 to 1), one array of shape ``(n_items,)`` per target.
    item_ids : sequence of sequence of str
        The items' IDs, one sequence per target.
    tail : float
        Probability in each tail.

    Returns
    -------
    mean, low, high : float
        Percentage points.
    """
    parts: dict[str, float] = {}
    n_items = sum(change.size for change in changes)
    means = [float(change.mean()) for change in changes]
    for change, ids, mean in zip(changes, item_ids, means, strict=True):
        for item_id, of_item in zip(ids, change, strict=True):
            parts[item_id] = parts.get(item_id, 0.0) + (float(of_item) - mean) / change.size / len(changes)
    centre = float(np.mean(means))
    squares = 1e4 * float((np.array(list(parts.values())) ** 2).sum())
    half = float(ndtri(1.0 - tail)) * float(np.sqrt(squares + pseudo_variance(n_items)))
    return 100.0 * centre, max(-100.0, 100.0 * centre - half), min(100.0, 100.0 * centre + half)


def pseudo_variance(n_items: float, n_seeds: float = 1.0) -> float:
    """What one pseudo-item gained and one lost add to the variance of a mean over so many items, squared pp.

    Parameters
    ----------
    n_items : float
        Items of all cells of the mean.
    n_seeds : float
        Train seeds that are pooled: a pseudo-item flips as one seed does.

    Returns
    -------
    float
    """
    return 1e4 * PSEUDO_ITEMS / n_seeds / (n_items + PSEUDO_ITEMS) ** 2


def joint_verdict(members: npt.NDArray[np.str_]) -> Verdict:
    """The verdict on a set by intersection-union: safe only if every member is (which needs no correction).

    Harmed if any member is, else undecided (Berger 1982, Technometrics 24(4)).
    """
    if (members == "safe").all():
        return "safe"
    return "harmed" if (members == "harmed").any() else "undecided"


def items_to_decide(sd: Reals, distance_pp: Reals, *, tail: float = 0.05, power: float = 0.8) -> Reals:
    """Items with which a one-sided test decides: n = ((z + z') 100 sd / distance)^2.

    With 4% flips and 1 pp that is about 2,500.

    Parameters
    ----------
    sd : ndarray
        Standard deviation of the (mean) difference of one item, as a share, shape ``(n,)``.
    distance_pp : ndarray
        From minus the limit to the true delta, percentage points, shape ``(n,)``.
    tail, power : float
        Level and power of the test.

    Returns
    -------
    ndarray
        Whole numbers, shape ``(n,)``; NaN where the distance is zero.
    """
    z = float(ndtri(1.0 - tail) + ndtri(power))
    with np.errstate(divide="ignore", invalid="ignore"):
        needed = (z * 100.0 * sd / np.abs(distance_pp)) ** 2
    return np.where(np.isfinite(needed), np.ceil(needed), np.nan)
