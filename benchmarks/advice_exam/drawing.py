"""Folds of the sources, probes, and replicates of what was measured."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from donorgrid.core.records import Cell

N_FOLDS = 4
SHOWN_SHARE = 0.5


@dataclass(frozen=True, kw_only=True)
class NoiseGuess:
    """What the examiner takes for the noise of a measured delta.

    Attributes
    ----------
    common : float
        The share of its variance that all sources of a target have in common (they subtract one baseline).
    size : float
        Times the variance that the table or its seeds say.
    """

    common: float = 0.3
    size: float = 1.0


def draw_folds(cells: Sequence[Cell], rng: np.random.Generator) -> list[np.ndarray]:
    """Partition sources so that tasks and languages are spread over the folds as evenly as they can be."""
    tasks = list(rng.permutation(sorted({cell.task for cell in cells})))
    languages = list(rng.permutation(sorted({cell.language for cell in cells})))
    fold = np.array([(tasks.index(cell.task) + languages.index(cell.language)) % N_FOLDS for cell in cells])
    return [np.flatnonzero(fold == index) for index in rng.permutation(N_FOLDS)]


def draw_probes(cells: Sequence[Cell], allowed: np.ndarray, n_per_task: int, rng: np.random.Generator) -> list[int]:
    """Random sources, the same number of each task."""
    probes: list[int] = []
    for task in sorted({cell.task for cell in cells}):
        members = [index for index in allowed if cells[index].task == task]
        probes += [int(index) for index in rng.choice(members, size=min(n_per_task, len(members)), replace=False)]
    return probes


def thin(
    delta_pp: np.ndarray, variance: np.ndarray, guess: NoiseGuess, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Split measured deltas into two replicates with independent noise, shown and hidden.

    Gaussian data thinning (Neufeld et al. 2024, JMLR 25(57)): x + z and x - z with z of x's noise covariance are
    independent halves, each with twice the noise variance. The noise has a part per target and a part per cell.
    """
    variance = variance * guess.size
    per_target = rng.standard_normal((1, delta_pp.shape[1])) * np.sqrt(guess.common * variance.mean(axis=0))
    per_cell = rng.standard_normal(delta_pp.shape) * np.sqrt((1 - guess.common) * variance)
    noise = per_target + per_cell
    return delta_pp + noise * np.sqrt((1 - SHOWN_SHARE) / SHOWN_SHARE), delta_pp - noise * np.sqrt(
        SHOWN_SHARE / (1 - SHOWN_SHARE)
    )


def only_rows(values: np.ndarray, rows: Sequence[int]) -> np.ndarray:
    """The values with NaN outside some rows: what a rule is shown."""
    shown = np.full_like(values, np.nan)
    shown[list(rows)] = values[list(rows)]
    return shown
