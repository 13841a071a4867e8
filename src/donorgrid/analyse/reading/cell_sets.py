"""Sets of cells as masks over sources and targets: regimes, sources, donors and recipients."""

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from donorgrid.analyse.reading.paired_differences import ArmDifferences
from donorgrid.core.arrays import Flags
from donorgrid.core.regimes import TRAINED_CELL, TRANSFER, TRANSFER_REGIMES, regime

CellSets = Callable[[ArmDifferences], dict[str, Flags]]
"""Gives named sets of one model's cells, each a mask of shape ``(n_sources, n_targets)``."""
ROLE_REGIMES = {"language": "MT-CL", "task": "CT-ML"}
"""Axis -> the regime in which its donors and recipients are scored."""


def cell_regimes(paired: ArmDifferences) -> npt.NDArray[np.str_]:
    """The regime of each cell, shape ``(n_sources, n_targets)``."""
    named = regime(
        paired.source_tasks[:, None],
        paired.source_languages[:, None],
        np.array(paired.target_tasks, dtype=object),
        np.array(paired.target_languages, dtype=object),
    )
    return np.asarray(named)


def regime_sets(paired: ArmDifferences) -> dict[str, Flags]:
    """Each regime, and ``transfer``."""
    regimes = cell_regimes(paired)
    named = {name: regimes == name for name in (TRAINED_CELL, *TRANSFER_REGIMES)}
    return named | {TRANSFER: regimes != TRAINED_CELL}


def source_sets(paired: ArmDifferences) -> dict[str, Flags]:
    """The transfer cells of each source, by its name ``task/language``."""
    transfer = cell_regimes(paired) != TRAINED_CELL
    return {name: transfer & mask for name, mask in rows_of(paired.source_names).items()}


def language_donors(paired: ArmDifferences) -> dict[str, Flags]:
    """The MT-CL cells of each source language."""
    return _within(paired, "language", _rows_by_value(paired.source_languages.tolist()))


def task_donors(paired: ArmDifferences) -> dict[str, Flags]:
    """The CT-ML cells of each source task."""
    return _within(paired, "task", _rows_by_value(paired.source_tasks.tolist()))


def language_recipients(paired: ArmDifferences) -> dict[str, Flags]:
    """The MT-CL cells of each target language."""
    return _within(paired, "language", _columns_by_value(paired.target_languages))


def task_recipients(paired: ArmDifferences) -> dict[str, Flags]:
    """The CT-ML cells of each target task."""
    return _within(paired, "task", _columns_by_value(paired.target_tasks))


DONORS: dict[str, CellSets] = {"language": language_donors, "task": task_donors}
RECIPIENTS: dict[str, CellSets] = {"language": language_recipients, "task": task_recipients}


def rows_of(names: Sequence[str]) -> dict[str, Flags]:
    """Each name's rows as a mask of shape ``(n_sources, 1)``, in the given order."""
    values = np.array(names)
    return {name: (values == name)[:, None] for name in names}


def columns_of(names: Sequence[str]) -> dict[str, Flags]:
    """Each name's columns as a mask of shape ``(n_targets,)``, in the given order."""
    values = np.array(names)
    return {name: values == name for name in names}


def _rows_by_value(values: Sequence[str]) -> dict[str, Flags]:
    column = np.array(values, dtype=object)
    return {value: (column == value)[:, None] for value in sorted(set(values))}


def _columns_by_value(values: Sequence[str]) -> dict[str, Flags]:
    row = np.array(values, dtype=object)
    return {value: row == value for value in sorted(set(values))}


def _within(paired: ArmDifferences, axis: str, masks: dict[str, Flags]) -> dict[str, Flags]:
    inside = cell_regimes(paired) == ROLE_REGIMES[axis]
    return {name: inside & mask for name, mask in masks.items()}
