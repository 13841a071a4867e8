"""One-sided bounds of a paired difference of right answers that hold for few flips as well as for many.

Of n items, ``gains`` became right and ``losses`` became wrong; delta = (gains - losses) / n estimates p - q, with p and
q the probabilities of a gain and of a loss. Tested is H0: p - q <= d against p - q > d.

Order: Tango's score statistic (1998, Stat. Med. 17, 891-908). Level: its exact binomial tail, the largest over the
flip rate p + q, which H0 leaves open (Hsueh, Liu & Chen 2001, Biometrics 57, 478-483), within the flip rate's 99.9%
interval, whose 0.1% is added to the p-value (Berger & Boos 1994, JASA 89, 1012-1016). A normal interval is not enough
here: after no flip in 235 items it excludes -1 pp, which lets 9% of such adapters pass at a level of 5%.
"""

from functools import lru_cache

import numpy as np
from scipy.special import bdtr, betaincinv, gammaln, xlog1py, xlogy

from donorgrid.core.arrays import Ints, Reals

_OUTSIDE = 0.001
_RATES = 32
_CLOSE = 2e-5
_NEGLIGIBLE = 1e-7


@lru_cache(maxsize=4096)
def lower_bound(gains: int, losses: int, n_items: int, tail: float = 0.05) -> float:
    """The lower bound of p - q: the largest share d that the test rejects.

    Parameters
    ----------
    gains, losses : int
        Items that became right, and that became wrong.
    n_items : int
        Items compared.
    tail : float
        Level of the test: p - q lies above the bound with confidence 1 - tail.

    Returns
    -------
    float
        A share, from -1 to 1.
    """
    centre = (gains - losses) / n_items
    step = (np.sqrt(gains + losses) + 2.0) / n_items
    low, high = centre, centre
    while low > -1.0 and not p_value_above(gains, losses, n_items, low) <= tail:
        low, high = max(-1.0, low - step), low
    while high - low > _CLOSE:
        middle = (low + high) / 2.0
        if p_value_above(gains, losses, n_items, middle) <= tail:
            low = middle
        else:
            high = middle
    return low


def upper_bound(gains: int, losses: int, n_items: int, tail: float = 0.05) -> float:
    """The upper bound of p - q: ``lower_bound`` with gains and losses exchanged.

    Parameters
    ----------
    gains, losses : int
        Items that became right, and that became wrong.
    n_items : int
        Items compared.
    tail : float
        Level of the test.

    Returns
    -------
    float
        A share, from -1 to 1.
    """
    return -lower_bound(losses, gains, n_items, tail)


@lru_cache(maxsize=65536)
def p_value_above(gains: int, losses: int, n_items: int, bound: float) -> float:
    """The p-value of H0: p - q <= bound.

    Parameters
    ----------
    gains, losses : int
        Items that became right, and that became wrong.
    n_items : int
        Items compared.
    bound : float
        A share, from -1 to 1.

    Returns
    -------
    float
        From 0.001 to 1.
    """
    observed = float(score_statistic(np.array(gains), np.array(losses), n_items, bound))
    if observed <= 0.0:
        return 1.0
    rates = _flip_rates(gains + losses, n_items, at_least=abs(bound))
    flips = _likely_counts(rates, n_items)
    fewest = _fewest_gains(flips, n_items, bound, observed)
    share = np.clip((1.0 + bound / rates) / 2.0, 0.0, 1.0)
    above = 1.0 - bdtr(fewest[None, :] - 1.0, flips[None, :], share[:, None])
    above = np.where(fewest[None, :] <= 0, 1.0, np.where(fewest[None, :] > flips[None, :], 0.0, above))
    largest = float((_binomial(flips, n_items, rates) * above).sum(axis=1).max())
    return min(1.0, largest + _NEGLIGIBLE + _OUTSIDE)


def items_without_flips(share: float, tail: float = 0.05) -> float:
    """How many items without any flip exclude a loss: (1 - share)^n is then below the tail.

    Parameters
    ----------
    share : float
        The loss to exclude, from 0 to 1.
    tail : float
        Level of the test.

    Returns
    -------
    float
    """
    return float(np.log(tail - _OUTSIDE) / np.log1p(-share))


def score_statistic(gains: Ints, losses: Ints, n_items: int, bound: float) -> Reals:
    """Tango's statistic (gains - losses - n d) / sqrt(n (2 q + d (1 - d))), q the constrained estimate of losses.

    Parameters
    ----------
    gains, losses : ndarray of int
        Items that became right, and that became wrong, of one shape.
    n_items : int
        Items compared.
    bound : float
        The share d under the hypothesis.

    Returns
    -------
    ndarray
        Shaped like the counts.
    """
    b, c = np.asarray(gains, dtype=np.float64), np.asarray(losses, dtype=np.float64)
    linear = -b - c + (2.0 * n_items - b + c) * bound
    constant = -c * bound * (1.0 - bound)
    root = np.sqrt(np.maximum(linear**2 - 8.0 * n_items * constant, 0.0))
    q = (root - linear) / (4.0 * n_items)
    variance = n_items * (2.0 * q + bound * (1.0 - bound))
    excess = b - c - n_items * bound
    with np.errstate(divide="ignore", invalid="ignore"):
        statistic = excess / np.sqrt(np.maximum(variance, 0.0))
    return np.where(variance > 1e-12 * n_items, statistic, np.where(excess > 1e-9, np.inf, 0.0))


def _flip_rates(flips: int, n_items: int, *, at_least: float) -> Reals:
    """A grid over the flip rates that are not excluded at 0.1% (Clopper & Pearson), each possible under the bound."""
    half = _OUTSIDE / 2.0
    low = float(betaincinv(flips, n_items - flips + 1, half)) if flips else 0.0
    high = float(betaincinv(flips + 1, n_items - flips, 1.0 - half)) if flips < n_items else 1.0
    low = min(max(low, at_least, 1e-9), 1.0)
    return np.linspace(low, max(high, low), _RATES)


def _likely_counts(rates: Reals, n_items: int) -> Ints:
    """The numbers of flips that are not negligible at any of the rates."""
    spread = 6.0 * np.sqrt(n_items * rates * (1.0 - rates)) + 6.0
    low = max(0, int(np.floor((n_items * rates - spread).min())))
    high = min(n_items, int(np.ceil((n_items * rates + spread).max())))
    return np.arange(low, high + 1)


def _fewest_gains(flips: Ints, n_items: int, bound: float, observed: float) -> Ints:
    """For each number of flips the fewest gains whose statistic is at least the observed one; flips + 1 for none."""
    low, high = np.zeros_like(flips), flips + 1
    while (low < high).any():
        middle = (low + high) // 2
        extreme = score_statistic(middle, flips - middle, n_items, bound) >= observed - 1e-9
        inside = low < high
        high = np.where(inside & extreme, middle, high)
        low = np.where(inside & ~extreme, middle + 1, low)
    return low


def _binomial(counts: Ints, n_items: int, rates: Reals) -> Reals:
    """Probabilities (rates, counts) of so many flips."""
    choose = gammaln(n_items + 1.0) - gammaln(counts + 1.0) - gammaln(n_items - counts + 1.0)
    return np.exp(choose + xlogy(counts, rates[:, None]) + xlog1py(n_items - counts, -rates[:, None]))
