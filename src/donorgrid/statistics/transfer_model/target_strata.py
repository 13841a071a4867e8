"""Targets as contrasts: everything, between tasks, between languages, and what is left of a single cell.

On the product of tasks and languages the four parts are orthogonal, and any kernel made of "all", "same task", "same
language" and "same cell" is a multiple of the identity on each of them. So a model of (model, source, target) falls
apart into four of (model, source), one for each part. With similar languages a part falls apart further, into the
eigenvectors of the languages' kernel.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from donorgrid.core.arrays import Reals
from donorgrid.core.records import Cell
from donorgrid.statistics.transfer_model.similarity import Similarity

PARTS = ("everything", "task", "language", "cell")
_NO_EIGENVALUE = 1e-9


@dataclass(frozen=True, kw_only=True)
class Stratum:
    """Orthonormal contrasts of the targets that share one size.

    Attributes
    ----------
    part : str
        One of ``PARTS``: which variances apply.
    size : float
        The eigenvalue of the languages' kernel: these contrasts have ``size`` times the part's variances.
    contrasts : ndarray
        Shape ``(n_targets, n_contrasts)``, orthonormal columns.
    """

    part: str
    size: float
    contrasts: Reals


@dataclass(frozen=True, kw_only=True)
class Axis:
    """One axis of the targets (tasks or languages): its mean direction and its contrasts.

    Attributes
    ----------
    names : tuple of str
        The levels.
    vectors : ndarray
        Orthonormal columns, shape ``(n, n)``; the first is constant.
    sizes : ndarray
        1 for the first column; for the others the eigenvalue of the centred kernel, shape ``(n,)``.
    similarity : Similarity
        How alike two levels are, also levels that are not among ``names``.
    """

    names: tuple[str, ...]
    vectors: Reals
    sizes: Reals
    similarity: Similarity

    def coordinates(self, name: str) -> tuple[Reals, float]:
        """The coordinates of one level along the columns, and the share of its variance that they do not explain.

        Parameters
        ----------
        name : str
            A level, measured or not.

        Returns
        -------
        coordinates : ndarray
            Shape ``(n,)``: the row of ``vectors`` for a measured level.
        unexplained : float
            0 for a measured level, up to 1 for one that is like none of them.
        """
        if name in self.names:
            return self.vectors[self.names.index(name)], 0.0
        kernel = self.similarity.between([name], self.names)[0]
        centred = kernel - kernel.mean()
        coordinates = centred @ self.vectors / np.where(self.sizes > _NO_EIGENVALUE, self.sizes, 1.0)
        coordinates[0] = self.vectors[0, 0]
        explained = float((coordinates[1:] ** 2 * self.sizes[1:]).sum())
        return coordinates, max(0.0, 1.0 - explained)


def make_axis(names: Sequence[str], similarity: Similarity) -> Axis:
    """Split one axis into its mean direction and its contrasts.

    Parameters
    ----------
    names : sequence of str
        The levels.
    similarity : Similarity
        How alike they are.

    Returns
    -------
    Axis
        Its contrasts in ascending order of their size.
    """
    n = len(names)
    centring = np.eye(n) - 1.0 / n
    sizes, vectors = np.linalg.eigh(
        centring @ similarity.between(names, names) @ centring + 1e3 * np.full((n, n), 1 / n)
    )
    order = np.concatenate([[n - 1], np.arange(n - 1)])
    vectors, sizes = vectors[:, order], sizes[order]
    vectors[:, 0], sizes[0] = 1.0 / np.sqrt(n), 1.0
    return Axis(names=tuple(names), vectors=vectors, sizes=sizes, similarity=similarity)


@dataclass(frozen=True, kw_only=True)
class TargetStrata:
    """The strata of a grid of targets, and the coordinates of any target in them.

    Attributes
    ----------
    strata : tuple of Stratum
        Together their contrasts are an orthonormal basis of the targets.
    tasks, languages : Axis
        The axes that they are made of.
    """

    strata: tuple[Stratum, ...]
    tasks: Axis
    languages: Axis

    def coordinates(self, targets: Sequence[Cell]) -> tuple[list[Reals], Reals]:
        """The coordinates of targets along the contrasts.

        Parameters
        ----------
        targets : sequence of Cell
            Measured ones or others.

        Returns
        -------
        coordinates : list of ndarray
            One per stratum, shape ``(n_targets, n_contrasts)``.
        unexplained : ndarray
            The share of each part's variance that is free of the contrasts, shape ``(n_parts, n_targets)``.
        """
        rows = []
        unexplained = np.zeros((len(PARTS), len(targets)))
        for index, cell in enumerate(targets):
            task, task_free = self.tasks.coordinates(cell.task)
            language, language_free = self.languages.coordinates(cell.language)
            rows.append(np.kron(task, language))
            unexplained[1:, index] = task_free, language_free, 1.0 - (1.0 - task_free) * (1.0 - language_free)
        basis = np.array(rows)
        return [basis[:, columns] for columns in self._columns()], unexplained

    def _columns(self) -> list[np.ndarray]:
        return [columns for _, _, columns in _grouped(self.tasks, self.languages)]


def make_strata(tasks: Sequence[str], languages: Sequence[str], *, similarity: Similarity) -> TargetStrata:
    """Split a grid of targets into strata.

    Parameters
    ----------
    tasks, languages : sequence of str
        The grid is their product, tasks first.
    similarity : Similarity
        Of languages; tasks are alike only as far as they are one.

    Returns
    -------
    TargetStrata
    """
    task_axis = make_axis(tasks, Similarity.none())
    language_axis = make_axis(languages, similarity)
    basis = np.kron(task_axis.vectors, language_axis.vectors)
    strata = [
        Stratum(part=part, size=size, contrasts=np.asarray(basis[:, columns], dtype=float))
        for part, size, columns in _grouped(task_axis, language_axis)
    ]
    return TargetStrata(strata=tuple(strata), tasks=task_axis, languages=language_axis)


def _grouped(tasks: Axis, languages: Axis) -> list[tuple[str, float, np.ndarray]]:
    """Part, size and columns (in the product's order) of each stratum."""
    groups: dict[tuple[int, float], list[int]] = {}
    n_languages = len(languages.names)
    for i, task_size in enumerate(tasks.sizes):
        for j, language_size in enumerate(languages.sizes):
            size = round(float(task_size * language_size), 6)
            if size > _NO_EIGENVALUE:
                groups.setdefault(((i > 0) + 2 * (j > 0), size), []).append(i * n_languages + j)
    return [(PARTS[part], size, np.array(columns)) for (part, size), columns in sorted(groups.items())]
