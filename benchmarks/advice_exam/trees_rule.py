"""Boosted trees on distance features, in the manner of LangRank (Lin et al. 2019, ACL): needs scikit-learn.

Features of a (source, target): their tasks, same task, family, branch and script distances, the target's scale in
the knowledge, and, with probes, what the probes of the source's task and all probes gave on that target. The trees are
fitted once for each number of probes: knowledge models take the part of the new one with random probes.
"""

from collections.abc import Sequence

import numpy as np

from advice_exam.drawing import draw_probes
from advice_exam.held_out import HeldOut
from advice_exam.predictive import Predictive
from donorgrid.facts.distances import built_in_distances

_PROBE_DRAWS = 2
_FLOOR_PP = 0.2


class TreesRule:
    name = "langrank"
    needs_probes = False

    def prepare(self, held: HeldOut) -> "TreesPredictor":
        return TreesPredictor(held)


class TreesPredictor:
    def __init__(self, held: HeldOut) -> None:
        self.held = held
        self.deltas = held.knowledge.delta_pp
        self.scales = self.deltas.std(axis=1).mean(axis=0) + _FLOOR_PP
        self.fixed = _fixed_features(held, self.scales)
        self.tasks = np.unique([cell.task for cell in held.cells], return_inverse=True)[1]
        self._fitted: dict[int, tuple[object, np.ndarray]] = {}

    def predict(self, probes: Sequence[int], shown: np.ndarray, rows: np.ndarray, *, seed: int) -> Predictive:
        del seed
        n_per_task = len(probes) // len(set(self.tasks.tolist()))
        if n_per_task not in self._fitted:
            self._fitted[n_per_task] = self._fit(n_per_task)
        trees, sd = self._fitted[n_per_task]
        points = self._points(trees, probes, shown)[rows]
        return Predictive(mean=points[None], sd=np.broadcast_to(sd, points.shape)[None], degrees=8.0)

    def _fit(self, n_per_task: int) -> tuple[object, np.ndarray]:
        """Trees on all knowledge models, and the spread by target of trees on the other half of them."""
        rng = np.random.default_rng(0)
        everything = np.arange(len(self.held.cells))
        parts = []
        for model in range(len(self.deltas)):
            for _ in range(_PROBE_DRAWS if n_per_task else 1):
                probes = draw_probes(self.held.cells, everything, n_per_task, rng)
                parts.append((model, probes))
        rest = []
        for half in (0, 1):
            trees = self._trees([part for part in parts if part[0] % 2 != half])
            for model, probes in parts:
                if model % 2 == half:
                    missed = self.deltas[model] - self._points(trees, probes, self.deltas[model])
                    rest.append(np.where(self._usable(probes), missed, np.nan))
        return self._trees(parts), np.sqrt(np.nanmean(np.array(rest) ** 2, axis=(0, 1))) * np.sqrt(6.0 / 8.0)

    def _trees(self, parts: list[tuple[int, list[int]]]) -> object:
        from sklearn.ensemble import HistGradientBoostingRegressor  # noqa: PLC0415 (an optional library)

        features, values = [], []
        for model, probes in parts:
            usable = self._usable(probes)
            features.append(self._features(probes, self.deltas[model])[usable])
            values.append((self.deltas[model] / self.scales)[usable])
        trees = HistGradientBoostingRegressor(max_iter=60, max_leaf_nodes=15, learning_rate=0.1, random_state=0)
        return trees.fit(np.concatenate(features), np.concatenate(values))

    def _usable(self, probes: Sequence[int]) -> np.ndarray:
        usable = self.held.is_transfer.copy()
        usable[list(probes)] = False
        return usable

    def _points(self, trees: object, probes: Sequence[int], shown: np.ndarray) -> np.ndarray:
        features = self._features(probes, shown)
        return trees.predict(features.reshape(-1, features.shape[2])).reshape(features.shape[:2]) * self.scales

    def _features(self, probes: Sequence[int], shown: np.ndarray) -> np.ndarray:
        if not len(probes):
            return self.fixed
        scaled = shown[list(probes)] / self.scales
        of_task = np.array([scaled[self.tasks[list(probes)] == task].mean(axis=0) for task in self.tasks])
        overall = np.broadcast_to(scaled.mean(axis=0), of_task.shape)
        return np.concatenate([self.fixed, of_task[:, :, None], overall[:, :, None]], axis=2)


def _fixed_features(held: HeldOut, scales: np.ndarray) -> np.ndarray:
    """Shape (n_cells, n_cells, n_features)."""
    cells, tasks = held.cells, held.knowledge.tasks
    distances = built_in_distances(held.knowledge.languages)
    rows = []
    for source in cells:
        for target, scale in zip(cells, scales, strict=True):
            pair = (min(source.language, target.language), max(source.language, target.language))
            between = [0.0 if pair[0] == pair[1] else rule.get(pair, np.nan) for rule in distances.values()]
            matches = [source.task == target.task, source.language == target.language]
            kinds = [*(source.task == task for task in tasks), *(target.task == task for task in tasks)]
            rows.append([*matches, *kinds, *between, np.log(scale)])
    return np.array(rows, dtype=float).reshape(len(cells), len(cells), -1)
