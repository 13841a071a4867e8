"""Intervals of variance shares: a parametric bootstrap on the logit scale, reversed."""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import brentq
from scipy.special import expit, gammaincinv, logit

from donorgrid.core.arrays import Reals
from donorgrid.core.errors import InputError
from donorgrid.statistics.draws import unit_effects
from donorgrid.statistics.mixed_models.design import Design, Moments
from donorgrid.statistics.mixed_models.refits import refit_shares
from donorgrid.statistics.mixed_models.reml import MixedFit, fit_moments
from donorgrid.statistics.mixed_models.stacks import MomentStack

FLOOR = 50.0
"""Refitted odds below a 50th of the estimate's count as a 50th: a zero says "small", not "minus infinity"."""
FEWEST_DEGREES = 4.5
"""Below four, Student's t has no kurtosis to match."""
MOST_HIDDEN = 3.0
"""At least a third of the residual variance is taken to be more than noise."""
REFIT_TOLERANCE = 3e-3
"""A refit ends with the step whose expected gain in the criterion is below this: what that step leaves is far less."""


@dataclass(frozen=True, kw_only=True)
class ShareIntervals:
    """Intervals of each component's share of the total variance.

    Attributes
    ----------
    low, high : ndarray
        Ends of the shares, the residual's last, shape ``(n_factors + 1,)``.
    n_refits, n_failed : int
        Refits that were tried, and those whose likelihood was not defined.
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

    Effects are drawn from a normal distribution, or with ``tail_degrees`` from Student's t of the same variance: the
    variance of a few heavy-tailed effects is far less certain than that of normal ones, and a handful of effects cannot
    tell by itself; ``residual_degrees`` reads it off the residuals.

    With l = logit(share) and l* its refits, the interval is [2l - q(1 - a/2), 2l - q(a/2)] with q the quantiles of l*
    (the basic bootstrap, Davison & Hinkley 1997, section 5.2, on the logit scale: a percentile interval covers only 90%
    for a factor of nine levels). A share estimated as zero has the low end zero; its high end is left to
    ``upper_share`` and is NaN here.

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
    """The fitted ratios, with the zero ones lifted a little, so that a refit may leave the bound."""
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
        Shape ``(n_shares,)``.
    """
    odds = np.where(share > 0, share / np.maximum(1.0 - share, 1e-12), np.nan)
    refit_odds = refits / np.maximum(1.0 - refits, 1e-12)
    logits = np.log(np.maximum(refit_odds, odds / FLOOR))
    with np.errstate(invalid="ignore", divide="ignore"):
        centre = logit(share)
        below, above = np.quantile(logits, [tail, 1.0 - tail], axis=0)
        low, high = expit(2.0 * centre - above), expit(2.0 * centre - below)
    return np.where(share > 0, low, 0.0), high


def residual_degrees(design: Design, fitted: MixedFit, y: Reals, *, noise_variance: float = 0.0) -> float | None:
    """Degrees of freedom of the Student's t that is as heavy-tailed as the residuals; None where they look normal.

    The excess kurtosis of t is 6 / (d - 4). It counts as seen when it is above twice its error under normality,
    sqrt(24 / n) (Snedecor & Cochran 1989, section 5.13). Of the residual variance ``noise_variance`` is measurement
    noise, near normal, which hides the tails of the rest: the rest's excess is larger by the square of the variances'
    ratio (by at most ``MOST_HIDDEN`` squared).
    """
    effects = fitted.point.ratios[design.owner] * fitted.point.score
    predicted = design.fixed @ fitted.beta
    for start, codes in zip(design.starts, design.codes, strict=True):
        predicted = predicted + effects[start + codes]
    excess = _excess_kurtosis(y - predicted)
    if not excess > 2.0 * np.sqrt(24.0 / design.n_rows):
        return None
    hidden = fitted.residual / max(fitted.residual - noise_variance, fitted.residual / MOST_HIDDEN)
    return max(FEWEST_DEGREES, 4.0 + 6.0 / (excess * hidden**2))


def _excess_kurtosis(values: Reals) -> float:
    squares = (values - values.mean()) ** 2
    return float((squares**2).mean() / squares.mean() ** 2 - 3.0)


def simulate_moments(
    design: Design, fitted: MixedFit, n_draws: int, rng: np.random.Generator, *, tail_degrees: float | None = None
) -> MomentStack:
    """Cross-products of ``n_draws`` responses drawn from the fitted model (fixed part zero), without drawing the rows.

    Of the residuals only [Z X]'e ~ N(0, s2 [Z X]'[Z X]) and e'e are needed: e'e is |the part in the span of [Z X]|^2
    plus s2 chi-squared on the rest of the degrees of freedom. Exact, and the cost does not grow with the rows.
    """
    joint = np.block([[design.gram, design.cross], [design.cross.T, design.fixed_gram]])
    values, vectors = np.linalg.eigh(joint)
    kept = values > values[-1] * 1e-11
    root = vectors[:, kept] * np.sqrt(values[kept])
    rank, q = int(kept.sum()), len(design.owner)
    standard = rng.standard_normal((n_draws, rank))
    outside = rng.chisquare(design.n_rows - rank, size=n_draws) if design.n_rows > rank else np.zeros(n_draws)
    noise = standard @ root.T * np.sqrt(fitted.residual)
    effects = unit_effects((n_draws, q), tail_degrees, rng) * np.sqrt(fitted.variances)[design.owner]
    from_effects = effects @ joint[:q]
    sums = noise + from_effects
    squares = (
        fitted.residual * ((standard**2).sum(axis=1) + outside)
        + 2.0 * (effects * noise[:, :q]).sum(axis=1)
        + (effects * from_effects[:, :q]).sum(axis=1)
    )
    return MomentStack(random=sums[:, :q], fixed=sums[:, q:], square=squares)


def upper_share(
    design: Design, response: Moments, fitted: MixedFit, component: str, *, confidence: float = 0.95
) -> float:
    """The upper end of the share of a component whose estimate is zero: where its profile likelihood has fallen enough.

    The profile criterion may rise by the chi-squared(1) quantile of 2 ``confidence`` - 1 (one-sided, because the
    estimate is on its bound: Self & Liang 1987). NaN where the profile never rises as far or is not defined.
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
        crossing = brentq(lambda at: profile(at).criterion - allowed, high - np.log(10.0), high, xtol=1e-3)
        return float(profile(float(crossing)).shares[index])
    except InputError:
        return float("nan")
