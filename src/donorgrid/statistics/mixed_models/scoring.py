"""Projected Fisher scoring with step halving: the bounds of the variance ratios, one step, and its line search."""

import numpy as np
import numpy.typing as npt

from donorgrid.core.arrays import Reals
from donorgrid.statistics.mixed_models.design import Design, Moments
from donorgrid.statistics.mixed_models.likelihood import Point, evaluate, factorise

LARGEST_RATIO = 1e7
"""A variance this many times the residual's means that nothing is left for the residual."""
_NEGLIGIBLE = 1e-8
MOST_STEPS = 200
MOST_HALVINGS = 40
NO_GAIN = 1e-9
"""A step whose expected gain is below this is near the optimum, where the criterion's round-off hides the gain."""


def within_bounds(design: Design, ratios: Reals) -> Reals:
    """Sets ratios above ``LARGEST_RATIO`` to it, and ratios too small to be told from zero to exactly zero.

    Parameters
    ----------
    design : Design
        The design of f factors.
    ratios : ndarray
        Variance ratios, at least 0, shape ``(..., f)``.

    Returns
    -------
    ndarray
        Shape ``(..., f)``.
    """
    rows_per_level = design.n_rows / np.array(design.sizes)
    return np.asarray(np.where(ratios * rows_per_level < _NEGLIGIBLE, 0.0, np.minimum(ratios, LARGEST_RATIO)))


def scoring_step(point: Point, held: npt.NDArray[np.bool_]) -> Reals:
    """The Fisher step over the free components: positive ones, and zero ones whose slope points inward.

    Parameters
    ----------
    point : Point
        The likelihood at the present ratios.
    held : ndarray of bool
        Components that keep their ratio, shape ``(f,)``.

    Returns
    -------
    ndarray
        Change of the ratios, shape ``(f,)``; zero for components that are not free.
    """
    free = ((point.ratios > 0) | (point.slope < 0)) & ~held
    free &= ~((point.ratios >= LARGEST_RATIO) & (point.slope < 0))
    step = np.zeros_like(point.ratios)
    if free.any():
        curvature = point.hessian[np.ix_(free, free)]
        scale = np.sqrt(np.maximum(np.diagonal(curvature), 1e-300))
        step[free] = (
            -np.linalg.lstsq(curvature / np.outer(scale, scale), point.slope[free] / scale, rcond=1e-12)[0] / scale
        )
    return step


def line_search(design: Design, response: Moments, point: Point, step: Reals) -> tuple[Point | None, int]:
    """Halves a step until the ratios it leads to, projected onto their bounds, lower the criterion.

    Near the optimum the gain falls below the round-off of the criterion; then two trials are enough.

    Parameters
    ----------
    design : Design
        The design of f factors.
    response : Moments
        The cross-products of the response with ``design``.
    point : Point
        The likelihood at the present ratios.
    step : ndarray
        Change of the ratios, shape ``(f,)``.

    Returns
    -------
    better : Point or None
        None if no trial lowers the criterion.
    n_trials : int
        Ratios at which the criterion was evaluated.
    """
    length = 1.0
    most = 2 if -point.slope @ step < NO_GAIN else MOST_HALVINGS
    for trial in range(1, most + 1):
        ratios = within_bounds(design, np.maximum(point.ratios + length * step, 0.0))
        if (ratios == point.ratios).all():
            return None, trial - 1
        factored = factorise(design, ratios, reml=point.factored.reml)
        candidate = evaluate(design, response, factored) if factored else None
        if candidate is not None and candidate.criterion < point.criterion:
            return candidate, trial
        length /= 2.0
    return None, most
