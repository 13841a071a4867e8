"""Intervals of variance shares: a parametric bootstrap on the logit scale, reversed."""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import brentq
from scipy.special import expit, gammaincinv, logit

from donorgrid.core.arrays import Reals
from donorgrid.core.errors import InputError
from donorgrid.statistics.mixed_models.design import Design, Moments
from donorgrid.statistics.mixed_models.refits import refit_shares
from donorgrid.statistics.mixed_models.reml import MixedFit, fit_moments
from donorgrid.statistics.mixed_models.simulated import simulate_moments

FLOOR = 50.0
"""Refitted odds below a 50th of the estimate's count as a 50th: a zero says "small", not "minus infinity"."""
REFIT_TOLERANCE = 3e-3
"""A refit ends with the step whose expected gain in the criterion is below this. The gain still missing is far less."""


@dataclass(frozen=True, kw_only=True)
class ShareIntervals:
    """Intervals of each component's share of the total variance.

    Attributes
    ----------
    low, high : ndarray
        Ends of the shares, the residual's last, shape ``(n_factors + 1,)``.
    n_refits, n_failed : int
        Refits that were tried, and those whose likelihood is not defined.
    """

    low: Reals
    high: Reals
    n_refits: int
    n_failed: int


def share_intervals(
    design: Design,
    fitted: MixedFit,
    *,
    n_refits: int,
    rng: np.random.Generator,
    confidence: float = 0.95,
    tail_degrees: float | None = None,
) -> ShareIntervals:
    """Intervals from refits of data sets drawn from the fitted model, reversed on the logit scale.

    Effects are drawn from a normal distribution, or with ``tail_degrees`` from Student's t of the same variance. The
    variance of a few heavy-tailed effects is far less certain than that of normal ones. A handful of effects does not
    show how heavy its tails are; ``simulated.residual_degrees`` takes them from the residuals.

    With l = logit(share) and l* its refits, the interval is [2l - q(1 - a/2), 2l - q(a/2)], where q are the quantiles
    of l*. This is the basic bootstrap on the logit scale; a percentile interval covers only 90% for a factor of nine
    levels. A share estimated as zero has the low end zero; its high end is NaN here and comes from ``upper_share``.

    Parameters
    ----------
    design : Design
        The design of the fit.
    fitted : MixedFit
        The fit.
    n_refits : int
        Data sets to draw.
    rng : numpy.random.Generator
        Source of the draws.
    confidence : float
        Coverage, between 0 and 1.
    tail_degrees : float or None
        Degrees of freedom of the effects' Student's t; None draws normal effects.

    Returns
    -------
    ShareIntervals
        NaN for fewer than two refits that succeeded.

    References
    ----------
    Davison & Hinkley 1997, Bootstrap Methods and their Application, section 5.2.
    """
    drawn = simulate_moments(design, fitted, n_refits, rng, tail_degrees=tail_degrees)
    shares = refit_shares(design, drawn, start=_inside(fitted), reml=fitted.reml, tolerance=REFIT_TOLERANCE)
    shares = shares[np.isfinite(shares).all(axis=1)]
    failed = n_refits - len(shares)
    if len(shares) < 2:
        empty = np.full(len(fitted.shares), np.nan)
        return ShareIntervals(low=empty, high=empty, n_refits=n_refits, n_failed=failed)
    low, high = reversed_logit_interval(fitted.shares, shares, (1.0 - confidence) / 2.0)
    return ShareIntervals(low=low, high=high, n_refits=n_refits, n_failed=failed)


def _inside(fitted: MixedFit) -> Reals:
    """The fitted ratios with zeros raised a little, so that a refit can leave the bound."""
    ratios = fitted.point.ratios
    return np.where(ratios > 0, ratios, 1e-3)


def reversed_logit_interval(share: Reals, refits: Reals, tail: float) -> tuple[Reals, Reals]:
    """The reversed interval of shares, on the logit scale.

    Parameters
    ----------
    share : ndarray
        Estimated shares, shape ``(n_shares,)``.
    refits : ndarray
        Shares of each refit, shape ``(n_refits, n_shares)``.
    tail : float
        Probability on either side.

    Returns
    -------
    low, high : ndarray
        Shape ``(n_shares,)``, around the shares.
    """
    odds = np.where(share > 0, share / np.maximum(1.0 - share, 1e-12), np.nan)
    refit_odds = refits / np.maximum(1.0 - refits, 1e-12)
    logits = np.log(np.maximum(refit_odds, odds / FLOOR))
    with np.errstate(invalid="ignore", divide="ignore"):
        centre = logit(share)
        below, above = np.quantile(logits, [tail, 1.0 - tail], axis=0)
        low, high = expit(2.0 * centre - above), expit(2.0 * centre - below)
    return np.where(share > 0, np.minimum(low, share), 0.0), np.maximum(high, share)


def upper_share(
    design: Design, response: Moments, fitted: MixedFit, component: str, *, confidence: float = 0.95
) -> float:
    """The upper end of a variance share whose estimate is zero, from the profile likelihood.

    At the upper end the profile criterion has risen by the chi-squared(1) quantile of 2 ``confidence`` - 1: one-sided,
    because the estimate is on its bound.

    Parameters
    ----------
    design : Design
        The design of the fit.
    response : Moments
        The cross-products of the response with ``design``.
    fitted : MixedFit
        The fit.
    component : str
        A factor whose variance is zero in the fit.
    confidence : float
        One-sided confidence, between 0.5 and 1.

    Returns
    -------
    float
        Share of the total variance, from 0 to 1. NaN if the profile never rises as far or is not defined.

    References
    ----------
    Self & Liang 1987, J. Am. Stat. Assoc. 82.
    """
    index = fitted.names.index(component)
    allowed = fitted.criterion + 2.0 * float(gammaincinv(0.5, 2.0 * confidence - 1.0))
    held = np.arange(len(fitted.names)) == index

    def profile(log_ratio: float) -> MixedFit:
        start = np.where(held, np.exp(log_ratio), _inside(fitted))
        return fit_moments(design, response, reml=fitted.reml, start=start, tolerance=1e-8, held=held)

    low, high = np.log(1e-6), np.log(1e-6)
    try:
        while profile(high).criterion < allowed and high < np.log(1e5):
            high += np.log(10.0)
        if high == low or profile(high).criterion < allowed:
            return float("nan")
        crossing = brentq(lambda ratio: profile(ratio).criterion - allowed, high - np.log(10.0), high, xtol=1e-3)
        return float(profile(float(crossing)).shares[index])
    except InputError:
        return float("nan")
