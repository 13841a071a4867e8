"""Covariances of (model, source) pairs: how much two adapters have in common.

A component is a reach (all models, a family, one model) times a part of the source (everything, its task, its language,
the cell). A mix is the weighted sum of its cells.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from donorgrid.core.arrays import Reals
from donorgrid.core.records import Cell
from donorgrid.statistics.transfer_model.similarity import Similarity
from donorgrid.statistics.transfer_model.target_strata import PARTS

REACHES = ("all models", "family", "model")
COMPONENTS = tuple((reach, part) for reach in REACHES for part in PARTS)

SourceParts = Mapping[Cell, float]
"""The cells of a source with their weights, which sum to 1."""


@dataclass(frozen=True, kw_only=True)
class Adapters:
    """Pairs of a model and a source.

    Attributes
    ----------
    models, families : tuple of str
        One per pair.
    sources : tuple of SourceParts
        One per pair.
    source_scales : mapping of str to float
        How large the effects of a source are, by its task; 1 for a task that is missing.
    """

    models: tuple[str, ...]
    families: tuple[str, ...]
    sources: tuple[SourceParts, ...]
    source_scales: Mapping[str, float] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.models)


def component_covariances(rows: Adapters, columns: Adapters, similarity: Similarity) -> Reals:
    """Covariances of unit size, one for each component.

    Parameters
    ----------
    rows, columns : Adapters
        The pairs.
    similarity : Similarity
        Of languages.

    Returns
    -------
    ndarray
        Shape ``(n_components, n_rows, n_columns)``, in the order of ``COMPONENTS``.
    """
    same_model = _equal(rows.models, columns.models)
    same_family = _equal(rows.families, columns.families)
    reaches = (np.ones_like(same_model), same_family, same_model)
    parts = _source_covariances(rows, columns, similarity)
    return np.array([reach * part for reach in reaches for part in parts])


def _equal(rows: Sequence[str], columns: Sequence[str]) -> Reals:
    return np.array([[float(row == column) for column in columns] for row in rows]).reshape(len(rows), len(columns))


def _source_covariances(rows: Adapters, columns: Adapters, similarity: Similarity) -> tuple[Reals, ...]:
    """One matrix for each part of a source, shape ``(n_rows, n_columns)``."""
    cells = sorted({cell for source in (*rows.sources, *columns.sources) for cell in source})
    same_task = _equal([cell.task for cell in cells], [cell.task for cell in cells])
    languages = [cell.language for cell in cells]
    names = sorted(set(languages))
    index = [names.index(language) for language in languages]
    alike = similarity.between(names, names)[np.ix_(index, index)]
    left, right = _weights(rows, cells), _weights(columns, cells)
    return tuple(left @ kernel @ right.T for kernel in (np.ones_like(alike), same_task, alike, same_task * alike))


def _weights(adapters: Adapters, cells: Sequence[Cell]) -> Reals:
    weights = np.array([[source.get(cell, 0.0) for cell in cells] for source in adapters.sources])
    scales = np.array([adapters.source_scales.get(cell.task, 1.0) for cell in cells])
    return np.asarray(weights.reshape(len(adapters), len(cells)) * scales)
