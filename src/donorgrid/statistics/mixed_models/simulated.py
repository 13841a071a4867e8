"""Data sets drawn from a fitted model, and how heavy the tails of its effects seem to be."""

import numpy as np

from donorgrid.core.arrays import Reals
from donorgrid.statistics.draws import unit_effects
from donorgrid.statistics.mixed_models.design import Design
from donorgrid.statistics.mixed_models.reml import MixedFit
from donorgrid.statistics.mixed_models.stacks import MomentStack

FEWEST_DEGREES = 4.5
"""Below four, Student's t has no kurtosis to match."""
MOST_HIDDEN = 3.0
"""At least a third of the residual variance is taken to be more than noise."""


def simulate_moments(
    design: Design, fitted: MixedFit, n_draws: int, rng: np.random.Generator, *, tail_degrees: float | None = None
) -> MomentStack:
    """Cross-products of responses drawn from the fitted model, its fixed part set to zero.

    The rows themselves are not drawn, so the cost does not grow with them. The draws are exact: of the residuals only
    [Z X]'e ~ N(0, s2 [Z X]'[Z X]) and e'e are needed, and e'e is |the part in the span of [Z X]|^2 plus s2 chi-squared
    on the rest of the degrees of freedom.

    Parameters
    ----------
    design : Design
        The design of the fit.
    fitted : MixedFit
        The fit.
    n_draws : int
        Responses to draw (b).
    rng : numpy.random.Generator
        Source of the draws.
    tail_degrees : float or None
        Degrees of freedom of the effects' Student's t; None draws normal effects.

    Returns
    -------
    MomentStack
    """
    joint = np.block([[design.gram, design.cross], [design.cross.T, design.fixed_gram]])
    values, vectors = np.linalg.eigh(joint)
    kept = values > values[-1] * 1e-11
    root = vectors[:, kept] * np.sqrt(values[kept])
    rank, q = int(kept.sum()), len(design.factor_index)
    standard = rng.standard_normal((n_draws, rank))
    outside = rng.chisquare(design.n_rows - rank, size=n_draws) if design.n_rows > rank else np.zeros(n_draws)
    noise = standard @ root.T * np.sqrt(fitted.residual)
    effects = unit_effects((n_draws, q), tail_degrees, rng) * np.sqrt(fitted.variances)[design.factor_index]
    from_effects = effects @ joint[:q]
    sums = noise + from_effects
    squares = (
        fitted.residual * ((standard**2).sum(axis=1) + outside)
        + 2.0 * (effects * noise[:, :q]).sum(axis=1)
        + (effects * from_effects[:, :q]).sum(axis=1)
    )
    return MomentStack(random=sums[:, :q], fixed=sums[:, q:], square=squares)


def residual_degrees(design: Design, fitted: MixedFit, y: Reals, *, noise_variance: float = 0.0) -> float | None:
    """Degrees of freedom of the Student's t that has the excess kurtosis of the residuals.

    The excess kurtosis of t is 6 / (d - 4). It counts when it is above twice its error under normality, sqrt(24 / n).
    Measurement noise is near normal and hides the tails of the rest of the residual variance: the excess of the rest is
    larger by the square of the variances' ratio (by at most ``MOST_HIDDEN`` squared).

    Parameters
    ----------
    design : Design
        The design of the fit.
    fitted : MixedFit
        The fit.
    y : ndarray
        The response, shape ``(n,)``.
    noise_variance : float
        The part of the residual variance that is measurement noise, in squared units of the response.

    Returns
    -------
    float or None
        At least ``FEWEST_DEGREES``; None if the residuals look normal.

    References
    ----------
    Snedecor & Cochran 1989, Statistical Methods, section 5.13.
    """
    effects = fitted.point.ratios[design.factor_index] * fitted.point.score
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
