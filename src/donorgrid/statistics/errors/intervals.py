"""Intervals: Student's t over independent units, normal ones, of medians, and of what was drawn again."""

from typing import NamedTuple

import numpy as np
from scipy.special import bdtr, ndtri, stdtrit

from donorgrid.core.arrays import Reals

MOST_CORRECTED = 2.5
"""The variance of drawn rates is multiplied by at most this."""


class MeanInterval(NamedTuple):
    """A mean over independent units with its standard error and interval; None for a single unit."""

    mean: float
    se: float | None
    low: float | None
    high: float | None


def t_interval(values: Reals, confidence: float) -> MeanInterval:
    """The mean of independent units, by Student's t: se = s / sqrt(M), mean +- t(M - 1) se.

    Parameters
    ----------
    values : ndarray
        One value per unit (a model's mean), shape ``(n_units,)``, at least one.
    confidence : float
        Coverage of the interval, between 0 and 1.

    Returns
    -------
    MeanInterval
        In the units of ``values``.
    """
    mean = float(np.mean(values))
    if values.size < 2:
        return MeanInterval(mean, None, None, None)
    se = float(np.std(values, ddof=1) / np.sqrt(values.size))
    half = float(stdtrit(values.size - 1, (1 + confidence) / 2)) * se
    return MeanInterval(mean, se, mean - half, mean + half)


def normal_bounds(centre: Reals, se: Reals, tail: float) -> tuple[Reals, Reals]:
    """Lower and upper normal bounds, each passed by the truth with probability ``tail``.

    Parameters
    ----------
    centre, se : ndarray
        Estimates and their standard errors, shape ``(n,)``, in one unit.
    tail : float
        Probability in each tail, between 0 and 0.5.

    Returns
    -------
    low, high : ndarray
        Shape ``(n,)``.
    """
    quantile = float(ndtri(tail))
    return centre + quantile * se, centre - quantile * se


def units_quantile(confidence: float, n_units: int | None = None) -> float:
    """The quantile of a two-sided interval: normal, or Student's t where the spread is that of few units.

    Parameters
    ----------
    confidence : float
        Coverage, between 0 and 1.
    n_units : int, optional
        Independent units (models) whose spread was estimated, at least two.

    Returns
    -------
    float
    """
    upper = (1.0 + confidence) / 2.0
    return float(ndtri(upper) if n_units is None else stdtrit(n_units - 1, upper))


def drawn_mean_interval(value: float, draws: Reals, *, pseudo_variance: float, quantile: float) -> tuple[float, float]:
    """The interval of a mean delta, from its draws.

    Parameters
    ----------
    value : float
        The mean of the data, percentage points.
    draws : ndarray
        The mean of each draw, shape ``(n_draws,)``.
    pseudo_variance : float
        What one made-up item gained and one lost add to the variance (``paired.pseudo_variance``), squared pp: without
        it, a mean over cells in which no answer flips would be certain.
    quantile : float
        As ``units_quantile`` returns it.

    Returns
    -------
    low, high : float
        From -100 to 100, around ``value``.
    """
    half = quantile * float(np.sqrt(np.var(draws) + pseudo_variance))
    return max(-100.0, value - half), min(100.0, value + half)


def effective_count(draws: Reals, drawn_again: tuple[Reals, Reals], n_cells: int, *, further: float = 0.0) -> float:
    """How many independent cells would make a rate as uncertain as it is: m (1 - m) / variance.

    Drawn cells are noisier than the measured ones, so fewer of them lie close to the limit, and the variance of the
    drawn rates is too small. Draws of the draws show by how much: the variance is multiplied by var(draws) /
    var(draws of a draw), the first step of the iterated bootstrap.

    Parameters
    ----------
    draws : ndarray
        The rate of each draw, shape ``(n_draws,)``.
    drawn_again : (ndarray, ndarray)
        The rate of two draws of each draw.
    n_cells : int
        Cells that the rate counts; the effective count where no draw differs.
    further : float
        Variance that other units (models) add.

    Returns
    -------
    float
        Above 0.

    References
    ----------
    Hall & Martin 1988, Biometrika 75. Dean & Pagano 2015, J. Surv. Stat. Methodol. 3.
    """
    once = float(np.var(draws))
    again = float(np.mean((drawn_again[0] - drawn_again[1]) ** 2)) / 2.0
    corrected = once * float(np.clip(once / again, 1.0, MOST_CORRECTED)) if again > 0.0 else once
    mean = float(np.clip(np.mean(draws), 0.0, 1.0))
    variance = corrected + further
    return mean * (1.0 - mean) / variance if variance > 0.0 and 0.0 < mean < 1.0 else float(n_cells)


def median_interval(values: Reals, confidence: float) -> tuple[float | None, float | None]:
    """The interval of a median between two order statistics, which holds for every distribution.

    Its ends are the k-th smallest and the k-th largest value, k the largest number for which a binomial count of n
    halves lies below k with a probability of at most (1 - confidence) / 2.

    Parameters
    ----------
    values : ndarray
        One value per unit, shape ``(n_units,)``.
    confidence : float
        Coverage, between 0 and 1.

    Returns
    -------
    low, high : float or None
        Around the median. None for too few values (fewer than six at 95%): even their extremes do not cover enough.

    References
    ----------
    Thompson 1936, Ann. Math. Stat. 7.
    """
    n, tail = values.size, (1.0 - confidence) / 2.0
    ordered = np.sort(values)
    inside = np.flatnonzero(bdtr(np.arange(n // 2, dtype=np.float64), n, 0.5) <= tail) if n else np.empty(0)
    if not inside.size:
        return None, None
    k = int(inside[-1])
    return float(ordered[k]), float(ordered[n - 1 - k])
