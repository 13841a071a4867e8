"""Many fits of one design at once, from one start: what ``reml.fit_moments`` finds for each response, in stacks."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from donorgrid.core.arrays import Ints, Reals
from donorgrid.statistics.mixed_models.design import Design
from donorgrid.statistics.mixed_models.reml import LARGEST_RATIO, MOST_HALVINGS, MOST_STEPS, NO_GAIN, snapped
from donorgrid.statistics.mixed_models.stacks import (
    FactoredStack,
    MomentStack,
    curvature_stack,
    evaluate_stack,
    factorise_stack,
)

_STACK_NUMBERS = 2**17
"""A stack's matrices (q, q) fill about a megabyte, so that they stay near the processor."""


def refit_shares(
    design: Design, responses: MomentStack, *, start: Reals, reml: bool = True, tolerance: float = 1e-12
) -> Reals:
    """(b, f + 1) shares of the total variance (residual last) of each response's fit from the ratios ``start`` (f,).

    As ``fit_moments`` for each, to rounding. A row is NaN where that raises: its likelihood is not defined.
    """
    begin = factorise_stack(design, snapped(design, start)[None], reml=reml)
    curvature = curvature_stack(design, begin, reml=reml)
    size = max(1, _STACK_NUMBERS // len(design.owner) ** 2)
    ratios = [
        _Refits(design, responses.take(slice(low, low + size)), reml=reml, tolerance=tolerance).ratios(begin, curvature)
        for low in range(0, len(responses), size)
    ]
    odds = np.concatenate([np.concatenate(ratios), np.ones((len(responses), 1))], axis=1)
    return np.asarray(odds / odds.sum(axis=1, keepdims=True))


@dataclass(kw_only=True)
class _State:
    """Where each fit of a stack stands: ratios (b, f), criterion (b,), slope (b, f), hessian (b, f, f), evaluations."""

    ratios: Reals
    criterion: Reals
    slope: Reals
    hessian: Reals
    evaluations: Ints


class _Refits:
    """One stack of fits: projected Fisher scoring with step halving, as in ``reml``, until each has ended."""

    def __init__(self, design: Design, responses: MomentStack, *, reml: bool, tolerance: float) -> None:
        self._design, self._responses, self._reml, self._tolerance = design, responses, reml, tolerance
        self._dof = design.n_rows - (design.fixed.shape[1] if reml else 0)

    def ratios(self, begin: FactoredStack, curvature: tuple[Reals, Reals]) -> Reals:
        """The fitted ratios (b, f)."""
        state = self._begin(begin, curvature)
        going = np.flatnonzero(np.isfinite(state.criterion))
        state.ratios[np.isnan(state.criterion)] = np.nan
        while going.size:
            steps = _directions(state.ratios[going], state.slope[going], state.hessian[going])
            gains = -(state.slope[going] * steps).sum(axis=1)
            moved = self._search(state, going, steps, gains)
            going = going[moved & (gains > self._tolerance) & (state.evaluations[going] < MOST_STEPS)]
        return state.ratios

    def _begin(self, begin: FactoredStack, curvature: tuple[Reals, Reals]) -> _State:
        looks = evaluate_stack(self._design, self._responses, begin, dof=self._dof)
        n, n_factors = len(self._responses), len(self._design.sizes)
        slope, hessian = self._derivatives(curvature, looks.score, looks.residual)
        return _State(
            ratios=np.repeat(begin.ratios, n, axis=0),
            criterion=looks.criterion,
            slope=slope,
            hessian=np.broadcast_to(hessian, (n, n_factors, n_factors)).copy(),
            evaluations=np.ones(n, dtype=np.int64),
        )

    def _derivatives(self, curvature: tuple[Reals, Reals], score: Reals, residual: Reals) -> tuple[Reals, Reals]:
        traces, blocks = curvature
        squares = np.add.reduceat(score * score, self._design.starts, axis=1)
        return traces - squares / residual[:, None], blocks - traces[:, :, None] * traces[:, None] / self._dof

    def _search(self, state: _State, rows: Ints, steps: Reals, gains: Reals) -> npt.NDArray[np.bool_]:
        """Take for each row the first of ever shorter projected steps that lowers its criterion; which rows moved."""
        moved = np.zeros(len(rows), dtype=bool)
        left = np.arange(len(rows))
        for tried in range(MOST_HALVINGS):
            left = left[(gains[left] >= NO_GAIN) | (tried < 2)]
            here = state.ratios[rows[left]]
            there = snapped(self._design, np.maximum(here + 0.5**tried * steps[left], 0.0))
            differ = (there != here).any(axis=1)
            left, there = left[differ], there[differ]
            if not left.size:
                break
            state.evaluations[rows[left]] += 1
            lower = self._take(state, rows[left], there, further=gains[left] > self._tolerance)
            moved[left[lower]] = True
            left = left[~lower]
        return moved

    def _take(
        self, state: _State, rows: Ints, ratios: Reals, *, further: npt.NDArray[np.bool_]
    ) -> npt.NDArray[np.bool_]:
        """Look at ``ratios`` and keep those that lower the criterion; ``further``: those that will need a next step."""
        factored = factorise_stack(self._design, ratios, reml=self._reml)
        looks = evaluate_stack(self._design, self._responses.take(rows), factored, dof=self._dof)
        lower = looks.criterion < state.criterion[rows]
        state.ratios[rows[lower]] = ratios[lower]
        state.criterion[rows[lower]] = looks.criterion[lower]
        on = lower & further
        curvature = curvature_stack(self._design, factored.take(on), reml=self._reml)
        state.slope[rows[on]], state.hessian[rows[on]] = self._derivatives(
            curvature, looks.score[on], looks.residual[on]
        )
        return np.asarray(lower)


def _directions(ratios: Reals, slope: Reals, hessian: Reals) -> Reals:
    """The Fisher steps (b, f) over the free components, as ``reml`` takes them: the others' rows are the identity's."""
    free = ((ratios > 0) | (slope < 0)) & ~((ratios >= LARGEST_RATIO) & (slope < 0))
    scale = np.where(free, np.sqrt(np.maximum(np.diagonal(hessian, axis1=1, axis2=2), 1e-300)), 1.0)
    scaled = hessian / (scale[:, :, None] * scale[:, None])
    scaled = np.where(free[:, :, None] & free[:, None], scaled, np.eye(ratios.shape[1]))
    sought = np.where(free, slope / scale, 0.0)
    return -(np.linalg.pinv(scaled, rcond=1e-12, hermitian=True) @ sought[:, :, None])[:, :, 0] / scale
