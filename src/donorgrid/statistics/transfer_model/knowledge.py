"""The transfer tables of several models over one grid, as arrays."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np

from donorgrid.core.arrays import Reals
from donorgrid.core.errors import InputError
from donorgrid.core.records import Cell


@dataclass(frozen=True, kw_only=True)
class Knowledge:
    """Deltas of the knowledge models on the product of their tasks and languages.

    Attributes
    ----------
    models, families : tuple of str
        Names and families, one per model. A model without a family has its own name as its family.
    sources, targets : tuple of Cell
        The cells of the axes; ``targets`` is the product of all tasks and languages, tasks first.
    delta_pp : ndarray
        Deltas in pp, shape ``(n_models, n_sources, n_targets)``; NaN where none was measured.
    noise_variance : ndarray
        Variance of each delta from items and runs, in squared pp, same shape; NaN where unknown.
    """

    models: tuple[str, ...]
    families: tuple[str, ...]
    sources: tuple[Cell, ...]
    targets: tuple[Cell, ...]
    delta_pp: Reals
    noise_variance: Reals

    @property
    def tasks(self) -> tuple[str, ...]:
        """The tasks of the targets, sorted."""
        return tuple(sorted({cell.task for cell in self.targets}))

    @property
    def languages(self) -> tuple[str, ...]:
        """The languages of the targets, sorted."""
        return tuple(sorted({cell.language for cell in self.targets}))

    @property
    def is_trained_cell(self) -> np.ndarray:
        """True where source and target are the same cell, shape ``(n_sources, n_targets)``."""
        return np.array([[source == target for target in self.targets] for source in self.sources])

    def without(self, models: Sequence[str]) -> "Knowledge":
        """Returns the knowledge of the other models; raises InputError if none is left."""
        keep = [index for index, model in enumerate(self.models) if model not in models]
        if not keep:
            raise InputError("knowledge: no model is left to predict from")
        return Knowledge(
            models=tuple(self.models[index] for index in keep),
            families=tuple(self.families[index] for index in keep),
            sources=self.sources,
            targets=self.targets,
            delta_pp=self.delta_pp[keep],
            noise_variance=self.noise_variance[keep],
        )


@dataclass(frozen=True, kw_only=True)
class KnownDelta:
    """One measured delta of a knowledge model, in pp, with the variance of its noise (NaN if unknown)."""

    model: str
    family: str | None
    source: Cell
    target: Cell
    delta_pp: float
    noise_variance: float


def gather_knowledge(deltas: Sequence[KnownDelta]) -> Knowledge:
    """Arrange measured deltas on one grid.

    Parameters
    ----------
    deltas : sequence of KnownDelta
        At most one per (model, source, target).

    Returns
    -------
    Knowledge

    Raises
    ------
    InputError
        If there is none, or one (model, source, target) has two.
    """
    if not deltas:
        raise InputError("knowledge: the tables hold no delta between plain cells")
    models = tuple(sorted({delta.model for delta in deltas}))
    families = {delta.model: delta.family or delta.model for delta in deltas}
    sources = tuple(sorted({delta.source for delta in deltas}))
    cells = {delta.target for delta in deltas}
    tasks, languages = sorted({cell.task for cell in cells}), sorted({cell.language for cell in cells})
    targets = tuple(Cell(task=task, language=language) for task, language in product(tasks, languages))
    row = {model: index for index, model in enumerate(models)}
    source_index = {cell: index for index, cell in enumerate(sources)}
    target_index = {cell: index for index, cell in enumerate(targets)}
    values = np.full((len(models), len(sources), len(targets)), np.nan)
    noise = np.full_like(values, np.nan)
    for delta in deltas:
        at = row[delta.model], source_index[delta.source], target_index[delta.target]
        if np.isfinite(values[at]):
            raise InputError(f"knowledge: {delta.model} has two deltas of {delta.source} on {delta.target}")
        values[at], noise[at] = delta.delta_pp, delta.noise_variance
    return Knowledge(
        models=models,
        families=tuple(families[model] for model in models),
        sources=sources,
        targets=targets,
        delta_pp=values,
        noise_variance=noise,
    )
