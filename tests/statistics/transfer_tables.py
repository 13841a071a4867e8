"""Transfer tables drawn from the model itself, by a dense computation of their covariance."""

from itertools import product

import numpy as np

from donorgrid.core.records import Cell
from donorgrid.statistics.transfer_model.knowledge import Knowledge, KnownDelta, gather_knowledge

TASKS, LANGUAGES = ("ask", "read", "tell"), ("de", "en", "hi", "id")
CELLS = tuple(Cell(task=task, language=language) for task, language in product(TASKS, LANGUAGES))
VARIANCES = {"everything": 1.0, "task": 0.8, "language": 0.2, "cell": 0.3}


def same(name: str) -> np.ndarray:
    """The kernel of one part over CELLS."""
    shared = {"everything": (), "task": ("task",), "language": ("language",), "cell": ("task", "language")}[name]
    return np.array([[float(all(getattr(a, key) == getattr(b, key) for key in shared)) for b in CELLS] for a in CELLS])


def draw_tables(n_models: int, *, seed: int, noise: float = 0.3, families: int = 2) -> np.ndarray:
    """True deltas and measured ones, shape ``(2, n_models, n_cells, n_cells)``: shared by all, and each model's own."""
    rng = np.random.default_rng(seed)
    root = {name: np.linalg.cholesky(same(name) + 1e-9 * np.eye(len(CELLS))) for name in VARIANCES}
    truth = np.zeros((n_models, len(CELLS), len(CELLS)))
    for (source, first), (target, second) in product(VARIANCES.items(), VARIANCES.items()):
        for share, groups in ((0.5, [0] * n_models), (0.5, list(range(n_models)))):
            drawn = rng.standard_normal((max(groups) + 1, len(CELLS), len(CELLS)))
            truth += np.sqrt(share * first * second) * (root[source] @ drawn @ root[target].T)[groups]
    return np.stack([truth, truth + np.sqrt(noise) * rng.standard_normal(truth.shape)])


def as_knowledge(measured: np.ndarray, *, noise: float = 0.3) -> Knowledge:
    """Knowledge of tables of shape ``(n_models, n_cells, n_cells)``; NaN is a hole."""
    return gather_knowledge(
        [
            KnownDelta(
                model=f"model-{index}",
                family=f"family-{index % 2}",
                source=source,
                target=target,
                delta_pp=float(measured[index, i, j]),
                noise_variance=noise,
            )
            for index in range(len(measured))
            for i, source in enumerate(CELLS)
            for j, target in enumerate(CELLS)
            if np.isfinite(measured[index, i, j])
        ]
    )
