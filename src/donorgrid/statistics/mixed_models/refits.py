"""Many fits of one design at once, from one start: what ``reml.fit_moments`` computes for each response, in stacks."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from donorgrid.core.arrays import Ints, Reals
from donorgrid.statistics.mixed_models.design import Design
from donorgrid.statistics.mixed_models.scoring import LARGEST_RATIO, MOST_HALVINGS, MOST_STEPS, NO_GAIN, within_bounds
from donorgrid.statistics.mixed_models.stacks import (
    FactoredStack,
    MomentStack,
    curvature_stack,
    evaluate_stack,
    factorise_stack,
)

_STACK_NUMBERS = 2**17
"""The matrices ``(q, q)`` of a stack fill about a megabyte, so that they stay in the processor's cache."""


def refit_shares(
    design: Design, responses: MomentStack, *, start: Reals, reml: bool = True, tolerance: float = 1e-12
) -> Reals:
    """Variance shares of the fit of each response; equal to ``fit_moments`` to rounding.

    Parameters
    ----------
    design : Design
        The design of f factors.
    responses : MomentStack
        The cross-products of b responses with ``design``.
    start : ndarray
        Variance ratios to start from, shape ``(f,)``.
    reml : bool
        True: restricted likelihood. False: likelihood.
    tolerance : float
        Bound of the expected gain of a further step, in the criterion.

    Returns
    -------
    ndarray
        Shares of the total variance, the residual's last, shape ``(b, f + 1)``. NaN: the likelihood is not defined.
    """
    first = factorise_stack(design, within_bounds(design, start)[None], reml=reml)
    curvature = curvature_stack(design, first, reml=reml)
    size = max(1, _STACK_NUMBERS // len(design.factor_index) ** 2)
    ratios = [
        _Refits(design, responses[begin : begin + size], reml=reml, tolerance=tolerance).ratios(first, curvature)
        for begin in range(0, len(responses), size)
    ]
    odds = np.concatenate([np.concatenate(ratios), np.ones((len(responses), 1))], axis=1)
    return np.asarray(odds / odds.sum(axis=1, keepdims=True))


@dataclass(kw_only=True)
class _State:
    """The present point of each fit.

    Attributes
    ----------
    ratios, criterion, slope, hessian : ndarray
        As in ``likelihood.Point``, shapes ``(b, f)``, ``(b,)``, ``(b, f)`` and ``(b, f, f)``.
    evaluations : ndarray of int
        Ratios at which the criterion was evaluated, shape ``(b,)``.
    """

    ratios: Reals
    criterion: Reals
    slope: Reals
    hessian: Reals
    evaluations: Ints


class _Refits:
    """One stack of fits: projected Fisher scoring with step halving, as in ``reml``, until every fit has ended."""

    def __init__(self, design: Design, responses: MomentStack, *, reml: bool, tolerance: float) -> None:
        self._design, self._responses, self._reml, self._tolerance = design, responses, reml, tolerance
        self._dof = design.n_rows - (design.fixed.shape[1] if reml else 0)

    def ratios(self, first: FactoredStack, curvature: tuple[Reals, Reals]) -> Reals:
        """The fitted ratios, shape ``(b, f)``, from the design factored at the start and its curvature there."""
        state = self._at_start(first, curvature)
        active = np.flatnonzero(np.isfinite(state.criterion))
        state.ratios[np.isnan(state.criterion)] = np.nan
        while active.size:
            steps = _scoring_steps(state.ratios[active], state.slope[active], state.hessian[active])
            gains = -(state.slope[active] * steps).sum(axis=1)
            moved = self._line_search(state, active, steps, gains)
            active = active[moved & (gains > self._tolerance) & (state.evaluations[active] < MOST_STEPS)]
        return state.ratios

    def _at_start(self, first: FactoredStack, curvature: tuple[Reals, Reals]) -> _State:
        points = evaluate_stack(self._design, self._responses, first, dof=self._dof)
        n, n_factors = len(self._responses), len(self._design.sizes)
        slope, hessian = self._derivatives(curvature, points.score, points.residual)
        return _State(
            ratios=np.repeat(first.ratios, n, axis=0),
            criterion=points.criterion,
            slope=slope,
            hessian=np.broadcast_to(hessian, (n, n_factors, n_factors)).copy(),
            evaluations=np.ones(n, dtype=np.int64),
        )

    def _derivatives(self, curvature: tuple[Reals, Reals], score: Reals, residual: Reals) -> tuple[Reals, Reals]:
        traces, squares = curvature
        explained = np.add.reduceat(score * score, self._design.starts, axis=1)
        return traces - explained / residual[:, None], squares - traces[:, :, None] * traces[:, None] / self._dof

    def _line_search(self, state: _State, rows: Ints, steps: Reals, gains: Reals) -> npt.NDArray[np.bool_]:
        """Halves the step of each row until its projection lowers the criterion, and moves there; which rows moved."""
        moved = np.zeros(len(rows), dtype=bool)
        pending = np.arange(len(rows))
        for n_halvings in range(MOST_HALVINGS):
            pending = pending[(gains[pending] >= NO_GAIN) | (n_halvings < 2)]
            present = state.ratios[rows[pending]]
            candidates = within_bounds(self._design, np.maximum(present + 0.5**n_halvings * steps[pending], 0.0))
            differ = (candidates != present).any(axis=1)
            pending, candidates = pending[differ], candidates[differ]
            if not pending.size:
                break
            state.evaluations[rows[pending]] += 1
            lower = self._move(state, rows[pending], candidates, goes_on=gains[pending] > self._tolerance)
            moved[pending[lower]] = True
            pending = pending[~lower]
        return moved

    def _move(
        self, state: _State, rows: Ints, ratios: Reals, *, goes_on: npt.NDArray[np.bool_]
    ) -> npt.NDArray[np.bool_]:
        """Moves rows to ``ratios`` where these lower the criterion; new derivatives only for rows that go on."""
        factored = factorise_stack(self._design, ratios, reml=self._reml)
        points = evaluate_stack(self._design, self._responses[rows], factored, dof=self._dof)
        lower = points.criterion < state.criterion[rows]
        state.ratios[rows[lower]] = ratios[lower]
        state.criterion[rows[lower]] = points.criterion[lower]
        needed = lower & goes_on
        curvature = curvature_stack(self._design, factored[needed], reml=self._reml)
        state.slope[rows[needed]], state.hessian[rows[needed]] = self._derivatives(
            curvature, points.score[needed], points.residual[needed]
        )
        return np.asarray(lower)


def _scoring_steps(ratios: Reals, slope: Reals, hessian: Reals) -> Reals:
    """The Fisher steps, shape ``(b, f)``, as ``scoring.scoring_step``; fixed components get rows of the identity."""
    free = ((ratios > 0) | (slope < 0)) & ~((ratios >= LARGEST_RATIO) & (slope < 0))
    scale = np.where(free, np.sqrt(np.maximum(np.diagonal(hessian, axis1=1, axis2=2), 1e-300)), 1.0)
    scaled = hessian / (scale[:, :, None] * scale[:, None])
    scaled = np.where(free[:, :, None] & free[:, None], scaled, np.eye(ratios.shape[1]))
    right = np.where(free, slope / scale, 0.0)
    return -(np.linalg.pinv(scaled, rcond=1e-12, hermitian=True) @ right[:, :, None])[:, :, 0] / scale
