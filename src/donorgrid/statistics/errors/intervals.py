"""Intervals: Student's t over independent units, normal ones, and reversed and percentile ones from a bootstrap."""

from typing import NamedTuple

import numpy as np
from scipy.special import ndtri, stdtrit

from donorgrid.core.arrays import Reals


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


def reversed_interval(value: float, draws: Reals, confidence: float) -> tuple[float, float]:
    """The reversed (basic) bootstrap interval: 2 value - quantiles of the draws.

    A rate of noisy cells drawn again is noisier still; the reversal takes that bias back to first order.

    Parameters
    ----------
    value : float
        The statistic of the data.
    draws : ndarray
        The statistic of each draw, shape ``(n_draws,)``.
    confidence : float
        Coverage, between 0 and 1.

    Returns
    -------
    low, high : float

    References
    ----------
    Davison & Hinkley 1997, Bootstrap Methods and their Application, section 5.2.
    """
    tail = (1.0 - confidence) / 2.0
    above, below = np.quantile(draws, [1.0 - tail, tail])
    return float(2 * value - above), float(2 * value - below)


def median_interval(
    values: Reals, *, n_draws: int, confidence: float, rng: np.random.Generator
) -> tuple[float | None, float | None]:
    """The percentile interval of a median, from drawing the values again.

    Parameters
    ----------
    values : ndarray
        One value per unit, shape ``(n_units,)``.
    n_draws : int
        Bootstrap draws.
    confidence : float
        Coverage, between 0 and 1.
    rng : numpy.random.Generator
        Source of the draws.

    Returns
    -------
    low, high : float or None
        None for fewer than two values or draws.
    """
    if values.size < 2 or n_draws < 2:
        return None, None
    picks = rng.integers(values.size, size=(n_draws, values.size))
    tail = (1 - confidence) / 2
    low, high = np.quantile(np.median(values[picks], axis=1), [tail, 1 - tail])
    return float(low), float(high)
