"""Exact REML and ML fits of crossed and nested random intercepts, on the variance scale with bounds."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from donorgrid.core.arrays import Reals
from donorgrid.core.errors import InputError
from donorgrid.statistics.mixed_models.design import Design, Moments, moments
from donorgrid.statistics.mixed_models.likelihood import Factored, Point, evaluate, factorise

LARGEST_RATIO = 1e7
"""A variance this many times the residual's means that nothing is left for the residual."""
_NEGLIGIBLE = 1e-8
MOST_STEPS = 200
MOST_HALVINGS = 40
NO_GAIN = 1e-9
"""A step whose expected gain is below this is near the optimum, where the criterion's round-off hides the gain."""


@dataclass(frozen=True, kw_only=True)
class MixedFit:
    """A fitted model with its diagnostics. Variances are in squared units of the response.

    ``at_zero`` names the components whose estimate is exactly zero, ``unbounded`` those that ran to the upper bound;
    ``decrement`` is the last step's expected gain in the criterion: ``converged`` means it fell below the tolerance.
    """

    names: tuple[str, ...]
    variances: Reals
    residual: float
    beta: Reals
    beta_se: Reals
    criterion: float
    reml: bool
    converged: bool
    evaluations: int
    decrement: float
    at_zero: tuple[str, ...]
    unbounded: tuple[str, ...]
    point: Point

    @property
    def total(self) -> float:
        """The sum of all variance components."""
        return float(self.variances.sum()) + self.residual

    @property
    def shares(self) -> Reals:
        """(f + 1,) shares of the total variance, the residual's last."""
        return np.append(self.variances, self.residual) / self.total


@dataclass(frozen=True, kw_only=True)
class Predictions:
    """Best linear unbiased predictions of one factor's effects, their standard errors, and the level names."""

    levels: tuple[str, ...]
    effects: Reals
    se: Reals


def fit(
    design: Design, y: Reals, *, reml: bool = True, start: Reals | None = None, tolerance: float = 1e-12
) -> MixedFit:
    """Fit by projected Fisher scoring with step halving.

    The problem is solved in variances and not in standard deviations, whose gradient vanishes at zero. A fit with a
    component at zero is tried from a second start.

    Parameters
    ----------
    design : Design
        The design of n rows and f factors.
    y : ndarray
        The response, shape ``(n,)``.
    reml : bool
        True: restricted likelihood. False: likelihood.
    start : ndarray, optional
        Variance ratios to start from, shape ``(f,)``.
    tolerance : float
        Bound of the expected gain of a further step, in the criterion.

    Returns
    -------
    MixedFit

    Raises
    ------
    InputError
        When y has another length, is not finite, or does not vary.
    """
    if y.shape != (design.n_rows,) or not np.isfinite(y).all():
        raise InputError(f"mixed model: expected {design.n_rows} finite values, found shape {y.shape}")
    centre = float(y.mean())
    response = moments(design, y - centre)
    if response.square <= 1e-24 * max(1.0, centre * centre) * design.n_rows:
        raise InputError("mixed model: the response does not vary; there is no variance to decompose")
    best = fit_moments(design, response, reml=reml, start=start, tolerance=tolerance)
    if start is None and (best.at_zero or not best.converged):
        other = fit_moments(design, response, reml=reml, start=np.full(len(design.sizes), 0.1), tolerance=tolerance)
        best = other if other.criterion < best.criterion - 1e-9 else best
    return _recentred(best, design, centre)


def _recentred(fitted: MixedFit, design: Design, centre: float) -> MixedFit:
    """Add back what was taken from y: X b = 1 has a solution whenever the intercept lies in X's columns."""
    ones = np.linalg.lstsq(design.fixed, np.ones(design.n_rows), rcond=None)[0]
    return MixedFit(**{**vars(fitted), "beta": fitted.beta + centre * ones})


def fit_moments(
    design: Design,
    response: Moments,
    *,
    reml: bool = True,
    start: Reals | Factored | None = None,
    tolerance: float = 1e-12,
    held: npt.NDArray[np.bool_] | None = None,
) -> MixedFit:
    """As ``fit``, from cross-products alone: what a bootstrap calls a thousand times.

    ``start`` may be a factored design, which is then not factored again. Components marked in ``held`` (f,) keep their
    starting ratio: a profile of the likelihood.
    """
    fixed = np.zeros(len(design.sizes), dtype=bool) if held is None else held
    if not isinstance(start, Factored):
        ratios = _start(design, response) if start is None else start
        start = factorise(design, snapped(design, ratios), reml=reml)
    here = evaluate(design, response, start) if start else None
    if here is None:
        raise InputError("mixed model: the likelihood is not defined; there are too few rows for these factors")
    evaluations, decrement, halted = 1, np.inf, False
    while evaluations < MOST_STEPS and decrement > tolerance and not halted:
        step = _direction(here, fixed)
        decrement = float(-here.slope @ step)
        there, tried = _line_search(design, response, here, step, reml)
        evaluations += tried
        halted = there is None
        here = there or here
    return _summary(design, here, reml, evaluations, decrement, converged=decrement <= max(tolerance, 1e-10))


def _start(design: Design, response: Moments) -> Reals:
    """Variances of the raw level means against what they leave over."""
    level_means = response.random / np.maximum(np.diagonal(design.gram), 1.0)
    between = np.add.reduceat(level_means**2, design.starts) / np.array(design.sizes)
    whole = response.square / design.n_rows
    rest = max(whole - float(between.sum()), 0.1 * whole)
    return np.asarray(np.maximum(between, 1e-3 * whole) / rest)


def snapped(design: Design, ratios: Reals) -> Reals:
    """Ratios within bounds; those too small to be told from zero (or to be divided by) become exactly zero."""
    rows_per_level = design.n_rows / np.array(design.sizes)
    return np.asarray(np.where(ratios * rows_per_level < _NEGLIGIBLE, 0.0, np.minimum(ratios, LARGEST_RATIO)))


def _direction(here: Point, held: npt.NDArray[np.bool_]) -> Reals:
    """The Fisher step over the free components: positive ones, and zero ones whose slope points inward."""
    free = ((here.ratios > 0) | (here.slope < 0)) & ~held
    free &= ~((here.ratios >= LARGEST_RATIO) & (here.slope < 0))
    step = np.zeros_like(here.ratios)
    if free.any():
        curvature = here.hessian[np.ix_(free, free)]
        scale = np.sqrt(np.maximum(np.diagonal(curvature), 1e-300))
        step[free] = (
            -np.linalg.lstsq(curvature / np.outer(scale, scale), here.slope[free] / scale, rcond=1e-12)[0] / scale
        )
    return step


def _line_search(design: Design, response: Moments, here: Point, step: Reals, reml: bool) -> tuple[Point | None, int]:
    """The first of ever shorter projected steps that lowers the criterion (None if none does), and how many were tried.

    Near the optimum the gain sinks below the round-off of the criterion; then two steps are enough to see it.
    """
    length = 1.0
    most = 2 if -here.slope @ step < NO_GAIN else MOST_HALVINGS
    for tried in range(1, most + 1):
        ratios = snapped(design, np.maximum(here.ratios + length * step, 0.0))
        if (ratios == here.ratios).all():
            return None, tried - 1
        factored = factorise(design, ratios, reml=reml)
        there = evaluate(design, response, factored) if factored else None
        if there is not None and there.criterion < here.criterion:
            return there, tried
        length /= 2.0
    return None, most


def _summary(
    design: Design, here: Point, reml: bool, evaluations: int, decrement: float, *, converged: bool
) -> MixedFit:
    pick = [name for name, ratio in zip(design.names, here.ratios, strict=True) if ratio == 0.0]
    high = [name for name, ratio in zip(design.names, here.ratios, strict=True) if ratio >= LARGEST_RATIO]
    return MixedFit(
        names=design.names,
        variances=here.ratios * here.residual,
        residual=here.residual,
        beta=here.beta,
        beta_se=np.sqrt(np.diagonal(here.beta_cov)),
        criterion=here.criterion,
        reml=reml,
        converged=bool(converged and not high),
        evaluations=evaluations,
        decrement=decrement,
        at_zero=tuple(pick),
        unbounded=tuple(high),
        point=here,
    )


def predictions(design: Design, fitted: MixedFit, factor: str) -> Predictions:
    """The effects of one factor: u = s2_f Z_f'V^-1(y - X beta), with se^2 = s2_f - s2_f^2 diag(Z_f'PZ_f) (Henderson).

    The standard error is of prediction (u - u-hat), the fixed part estimated, variances taken as known.

    Parameters
    ----------
    design : Design
        The design of the fit.
    fitted : MixedFit
        The fit.
    factor : str
        A name of the design.

    Returns
    -------
    Predictions

    Raises
    ------
    InputError
        When the design has no such factor.
    """
    if factor not in design.names:
        raise InputError(f"mixed model: no factor '{factor}'; it has {list(design.names)}")
    place = design.names.index(factor)
    own = design.owner == place
    ratio = fitted.point.ratios[place]
    spread = ratio - ratio**2 * fitted.point.factored.leverage[own]
    return Predictions(
        levels=tuple(map(str, design.levels[place])),
        effects=ratio * fitted.point.score[own],
        se=np.sqrt(np.maximum(spread, 0.0) * fitted.residual),
    )
