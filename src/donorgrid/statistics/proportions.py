"""Small facts about shares: the Wilson interval and the entropy of choices."""

import numpy as np
import numpy.typing as npt
from scipy.special import ndtri


def wilson_interval(n_right: float, n_items: float, confidence: float = 0.95) -> tuple[float, float]:
    """The score interval of a proportion.

    Parameters
    ----------
    n_right, n_items : float
        Right answers, and answers.
    confidence : float
        Coverage, between 0 and 1.

    Returns
    -------
    low, high : float
        From 0 to 1; (0, 1) for no items.

    References
    ----------
    Wilson 1927, J. Am. Stat. Assoc. 22.
    """
    if n_items <= 0:
        return 0.0, 1.0
    return rate_interval(n_right / n_items, n_items, float(ndtri((1 + confidence) / 2)))


def rate_interval(rate: float, effective: float, quantile: float) -> tuple[float, float]:
    """Wilson's interval of a rate of dependent cells: as if so many independent cells had been counted.

    Parameters
    ----------
    rate : float
        From 0 to 1.
    effective : float
        As many independent cells as make the rate as uncertain as it is, above 0.
    quantile : float
        Of the two-sided interval, 1.96 for 95%.

    Returns
    -------
    low, high : float
        From 0 to 1, around the rate.
    """
    square = quantile * quantile / effective
    centre = (rate + square / 2) / (1 + square)
    half = float(np.sqrt(square) * np.sqrt(rate * (1 - rate) + square / 4)) / (1 + square)
    return max(0.0, min(rate, centre - half)), min(1.0, max(rate, centre + half))


def relative_entropy_of_choices(chosen: npt.NDArray[np.int64], n_options: int) -> float:
    """The entropy of the chosen options over log(n_options).

    Parameters
    ----------
    chosen : ndarray of int
        Option indices, shape ``(n_items,)``.
    n_options : int
        Options to choose from.

    Returns
    -------
    float
        From 0 (always the same) to 1 (evenly spread); NaN for no items, or fewer than two options.
    """
    if n_options < 2 or not chosen.size:
        return float("nan")
    shares = np.bincount(chosen) / chosen.size
    shares = shares[shares > 0]
    return float(-(shares * np.log(shares)).sum() / np.log(n_options)) + 0.0
