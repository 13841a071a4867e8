"""Exact REML and ML fits of crossed and nested random intercepts, on the variance scale with bounds."""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from donorgrid.core.arrays import Reals
from donorgrid.core.errors import InputError
from donorgrid.statistics.mixed_models.design import Design, Moments, moments
from donorgrid.statistics.mixed_models.likelihood import Factored, Point, evaluate, factorise
from donorgrid.statistics.mixed_models.scoring import (
    LARGEST_RATIO,
    MOST_STEPS,
    line_search,
    scoring_step,
    within_bounds,
)


@dataclass(frozen=True, kw_only=True)
class MixedFit:
    """A fitted model with its diagnostics.

    Attributes
    ----------
    names : tuple of str
        Factors, length f.
    variances : ndarray
        Variance of each factor's effects, in squared units of the response, shape ``(f,)``.
    residual : float
        Residual variance, in squared units of the response.
    beta, beta_se : ndarray
        Fixed effects and their standard errors, in units of the response, shape ``(p,)``.
    criterion : float
        Minus twice the log (restricted) likelihood.
    reml : bool
        True: restricted likelihood. False: likelihood.
    converged : bool
        True if ``decrement`` is below the tolerance and no component is unbounded.
    evaluations : int
        Ratios at which the criterion was evaluated.
    decrement : float
        Expected gain of the last step, in the criterion.
    at_zero, unbounded : tuple of str
        Components whose estimate is exactly zero, and those that reached the upper bound.
    point : Point
        The likelihood at the estimates.
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
        """Shares of the total variance, the residual's last, shape ``(f + 1,)``."""
        return np.append(self.variances, self.residual) / self.total


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
    """Adds the mean of y back: X b = 1 has a solution whenever the intercept lies in X's columns."""
    constant = np.linalg.lstsq(design.fixed, np.ones(design.n_rows), rcond=None)[0]
    return replace(fitted, beta=fitted.beta + centre * constant)


def fit_moments(
    design: Design,
    response: Moments,
    *,
    reml: bool = True,
    start: Reals | Factored | None = None,
    tolerance: float = 1e-12,
    held: npt.NDArray[np.bool_] | None = None,
) -> MixedFit:
    """Fit from the cross-products of a response, from one start.

    Parameters
    ----------
    design : Design
        The design of f factors.
    response : Moments
        The cross-products of the response with ``design``.
    reml : bool
        True: restricted likelihood. False: likelihood.
    start : ndarray or Factored, optional
        Variance ratios to start from, shape ``(f,)``, or ``design`` factored at them.
    tolerance : float
        Bound of the expected gain of a further step, in the criterion.
    held : ndarray of bool, optional
        Components that keep their starting ratio, for a profile of the likelihood, shape ``(f,)``.

    Returns
    -------
    MixedFit

    Raises
    ------
    InputError
        When the likelihood is not defined.
    """
    fixed = np.zeros(len(design.sizes), dtype=bool) if held is None else held
    if not isinstance(start, Factored):
        ratios = _start(design, response) if start is None else start
        start = factorise(design, within_bounds(design, ratios), reml=reml)
    point = evaluate(design, response, start) if start else None
    if point is None:
        raise InputError("mixed model: the likelihood is not defined; there are too few rows for these factors")
    evaluations, decrement, halted = 1, np.inf, False
    while evaluations < MOST_STEPS and decrement > tolerance and not halted:
        step = scoring_step(point, fixed)
        decrement = float(-point.slope @ step)
        better, n_trials = line_search(design, response, point, step)
        evaluations += n_trials
        halted = better is None
        point = better or point
    return _summary(design, point, evaluations, decrement, converged=decrement <= max(tolerance, 1e-10))


def _start(design: Design, response: Moments) -> Reals:
    """Variance ratios to start from: those of the raw level means over the rest of the variance."""
    level_means = response.random / np.maximum(np.diagonal(design.gram), 1.0)
    between = np.add.reduceat(level_means**2, design.starts) / np.array(design.sizes)
    whole = response.square / design.n_rows
    rest = max(whole - float(between.sum()), 0.1 * whole)
    return np.asarray(np.maximum(between, 1e-3 * whole) / rest)


def _summary(design: Design, point: Point, evaluations: int, decrement: float, *, converged: bool) -> MixedFit:
    at_zero = [name for name, ratio in zip(design.names, point.ratios, strict=True) if ratio == 0.0]
    unbounded = [name for name, ratio in zip(design.names, point.ratios, strict=True) if ratio >= LARGEST_RATIO]
    return MixedFit(
        names=design.names,
        variances=point.ratios * point.residual,
        residual=point.residual,
        beta=point.beta,
        beta_se=np.sqrt(np.diagonal(point.beta_cov)),
        criterion=point.criterion,
        reml=point.factored.reml,
        converged=bool(converged and not unbounded),
        evaluations=evaluations,
        decrement=decrement,
        at_zero=tuple(at_zero),
        unbounded=tuple(unbounded),
        point=point,
    )
