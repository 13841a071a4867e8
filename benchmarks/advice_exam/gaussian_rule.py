"""The plain Gaussian model of transfer tables: terms of "all models" and "this model", closed-form variances.

delta[m, s, t] / (a_m g_t) = sum of independent terms, one for each of {all models, this model} x {everything, task,
language, cell} of the source x the same of the target. On complete tables the kernels commute, and the variances follow
from mean squares by non-negative least squares. Trained cells are filled by row and column means.
"""

from collections.abc import Sequence

import numpy as np
from scipy.optimize import nnls

from advice_exam.held_out import HeldOut
from advice_exam.predictive import Predictive

_FLOOR_PP, _POWER = 0.2, 0.75
_DEGREES, _DEGREES_PER_PROBE = 3.0, 0.7
_JITTER = 1e-6


class GaussianRule:
    name = "gaussian"
    needs_probes = False

    def prepare(self, held: HeldOut) -> "GaussianPredictor":
        return GaussianPredictor(held)


class GaussianPredictor:
    def __init__(self, held: HeldOut) -> None:
        deltas = held.knowledge.delta_pp
        self.is_transfer = held.is_transfer
        n_tasks, n_languages = len(held.knowledge.tasks), len(held.knowledge.languages)
        self.strata = _strata(n_tasks, n_languages)
        self.eigenvalues = _eigenvalues(n_tasks, n_languages)
        self.kernels = [
            np.kron(a, b)
            for b in (np.ones((n_languages,) * 2), np.eye(n_languages))
            for a in (np.ones((n_tasks,) * 2), np.eye(n_tasks))
        ]
        model_scales, self.target_scales = _scales(deltas)
        self.scaled = _without_trained_cells(
            deltas / model_scales[:, None, None] / self.target_scales, self.is_transfer
        )
        self.typical = float(np.mean(self.scaled**2))
        self.prior = self._given_knowledge(self._variances())

    def predict(self, probes: Sequence[int], shown: np.ndarray, rows: np.ndarray, *, seed: int) -> Predictive:
        del seed
        size, degrees, spread, observed = 1.0, _DEGREES, np.ones(len(self.target_scales)), None
        if len(probes):
            observed = shown[list(probes)] / self.target_scales
            known = np.where(self.is_transfer[list(probes)], observed, np.nan)
            size = np.sqrt(np.nanmean(known**2) / self.typical)
            observed = np.where(np.isfinite(known), known / size, self.scaled[:, list(probes)].mean(axis=0))
        mean, variance = self._conditioned(probes, observed)
        if observed is not None:
            before, before_variance = self._conditioned((), None)
            squares = ((observed - before[list(probes)]) ** 2 / before_variance[list(probes)]).mean(axis=0)
            extra = _DEGREES_PER_PROBE * len(probes)
            spread, degrees = np.sqrt((_DEGREES + extra * squares) / (_DEGREES + extra)), _DEGREES + extra
        scales = self.target_scales * size
        sd = np.sqrt(variance[rows]) * scales * spread
        return Predictive(mean=(mean[rows] * scales)[None], sd=sd[None], degrees=degrees)

    def _variances(self) -> np.ndarray:
        """Shape (2, 4, 4): reach (all models, this model), part of the source, part of the target."""
        n_models = len(self.scaled)
        mean = self.scaled.mean(axis=0, keepdims=True)
        rows, squares, freedom = [], [], []
        for reach, values in ((0, mean * np.sqrt(n_models)), (1, self.scaled - mean)):
            for p, left in enumerate(self.strata):
                for q, right in enumerate(self.strata):
                    n = (1 if reach == 0 else n_models - 1) * left.shape[1] * right.shape[1]
                    sizes = np.outer(self.eigenvalues[p], self.eigenvalues[q]).ravel()
                    rows.append(np.concatenate([(n_models if reach == 0 else 0) * sizes, sizes]))
                    squares.append((np.einsum("sp,msk,kq->mpq", left, values, right) ** 2).sum() / n)
                    freedom.append(n)
        design, square, weight = np.array(rows), np.array(squares), np.sqrt(freedom) / np.array(squares)
        for _ in range(5):
            variances, _ = nnls(design * weight[:, None], square * weight)
            weight = np.sqrt(freedom) / np.maximum(design @ variances, 1e-9)
        return variances.reshape(2, 4, 4)

    def _given_knowledge(self, variances: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
        """Mean (source, contrast) and source covariance of a new model in each stratum of the targets."""
        n_models, n_cells = self.scaled.shape[:2]
        prior = []
        for q, contrasts in enumerate(self.strata):
            shared, single = (
                sum(variances[reach, i] @ self.eigenvalues[q] * self.kernels[i] for i in range(4)) for reach in (0, 1)
            )
            known = np.kron(np.ones((n_models,) * 2), shared) + np.kron(np.eye(n_models), single)
            cross = np.tile(shared, n_models)
            solved = np.linalg.solve(known + _JITTER * np.eye(len(known)), cross.T).T
            values = self.scaled.reshape(n_models * n_cells, -1) @ contrasts
            prior.append((solved @ values, shared + single - solved @ cross.T))
        return prior

    def _conditioned(self, probes: Sequence[int], observed: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
        mean, variance = np.zeros_like(self.scaled[0]), np.zeros_like(self.scaled[0])
        at = list(probes)
        for contrasts, (expected, covariance) in zip(self.strata, self.prior, strict=True):
            left = covariance
            if observed is not None:
                inner = covariance[np.ix_(at, at)] + _JITTER * np.eye(len(at))
                gain = np.linalg.solve(inner, covariance[at]).T
                expected = expected + gain @ (observed @ contrasts - expected[at])
                left = covariance - gain @ covariance[at]
            mean += expected @ contrasts.T
            variance += np.diag(left)[:, None] * (contrasts**2).sum(axis=1)
        return mean, np.maximum(variance, 1e-6)


def _strata(n_tasks: int, n_languages: int) -> list[np.ndarray]:
    """Orthonormal contrasts: everything, tasks, languages, cells."""
    (task_mean, tasks), (language_mean, languages) = _contrasts(n_tasks), _contrasts(n_languages)
    return [np.kron(a, b) for b in (language_mean, languages) for a in (task_mean, tasks)]


def _contrasts(n: int) -> tuple[np.ndarray, np.ndarray]:
    basis = np.linalg.qr(np.column_stack([np.ones(n), np.eye(n)[:, 1:]]))[0]
    return basis[:, :1], basis[:, 1:]


def _eigenvalues(n_tasks: int, n_languages: int) -> np.ndarray:
    """Of each kernel (columns: everything, task, language, cell) on each stratum (rows)."""
    everything, task, language = n_tasks * n_languages, n_languages, n_tasks
    return np.array([[everything, task, language, 1], [0, task, 0, 1], [0, 0, language, 1], [0, 0, 0, 1]], dtype=float)


def _scales(deltas: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    logs = np.log(deltas.std(axis=1) + _FLOOR_PP)
    models = logs.mean(axis=1)
    return np.exp(_POWER * models), np.exp(_POWER * (logs - models[:, None]).mean(axis=0))


def _without_trained_cells(scaled: np.ndarray, is_transfer: np.ndarray) -> np.ndarray:
    known = np.where(is_transfer, scaled, np.nan)
    by_row, by_column = np.nanmean(known, axis=2, keepdims=True), np.nanmean(known, axis=1, keepdims=True)
    return np.where(is_transfer, scaled, by_row + by_column - np.nanmean(known, axis=(1, 2), keepdims=True))
