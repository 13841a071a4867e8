"""One arm's paired differences per item, seeds summed: what flips, splits and clustered errors are made of."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt
import polars as pl

from donorgrid.analyse.reading.answers import AnsweredRun, PairedAnswers
from donorgrid.analyse.reading.arms import Arm
from donorgrid.core.arrays import Bytes, Ints, Reals
from donorgrid.core.records import Metric


@dataclass(frozen=True, kw_only=True)
class ArmDifferences:
    """Paired differences of one model's plain cells in one arm.

    Attributes
    ----------
    model : str
    source_names : tuple of str
        Sources, the rows.
    source_tasks, source_languages : ndarray of str
        Task and language of each source, shape ``(n_sources,)``.
    target_tasks, target_languages : tuple of str
        Task and language of each target.
    starts : ndarray of int
        Index of each target's first item, shape ``(n_targets,)``.
    clusters : ndarray of int
        Number of each item's ID within its task, shape ``(n_items,)``. The same ID in another language, and in another
        model with the same items, has the same number.
    n_clusters : dict of str to int
        Task -> its item IDs.
    summed : ndarray
        Differences (-1, 0 or 1) summed over seeds, shape ``(n_sources, n_items)``.
    answered : ndarray of int
        Answers summed over seeds, shape ``(n_sources, n_items)``.
    """

    model: str
    source_names: tuple[str, ...]
    source_tasks: npt.NDArray[np.object_]
    source_languages: npt.NDArray[np.object_]
    target_tasks: tuple[str, ...]
    target_languages: tuple[str, ...]
    starts: Ints
    clusters: Ints
    n_clusters: dict[str, int]
    summed: npt.NDArray[np.int16] | Reals
    answered: npt.NDArray[np.int16]

    @property
    def target_names(self) -> list[str]:
        """Each target as ``task/language``."""
        return [f"{task}/{language}" for task, language in zip(self.target_tasks, self.target_languages, strict=True)]

    def targets(self) -> Iterator[tuple[str, str, slice]]:
        """(task, language, its columns) of each target."""
        ends = [*self.starts[1:].tolist(), self.summed.shape[1]]
        for task, language, start, end in zip(
            self.target_tasks, self.target_languages, self.starts.tolist(), ends, strict=True
        ):
            yield task, language, slice(start, end)

    @cached_property
    def target_of_item(self) -> Ints:
        """Index of the target that each item belongs to, shape ``(n_items,)``."""
        lengths = np.diff(np.append(self.starts, self.summed.shape[1]))
        return np.repeat(np.arange(len(lengths)), lengths)

    @cached_property
    def n_answered(self) -> Reals:
        """Answers per cell, items times seeds, shape ``(n_sources, n_targets)``."""
        return np.add.reduceat(self.answered, self.starts, axis=1, dtype=np.int64).astype(np.float64)

    @cached_property
    def delta_pp(self) -> Reals:
        """The cells' deltas, shape ``(n_sources, n_targets)``; NaN where a cell has no answers."""
        wide = np.float64 if self.summed.dtype.kind == "f" else np.int64
        total = np.add.reduceat(self.summed, self.starts, axis=1, dtype=wide)
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.where(self.n_answered > 0, 100.0 * total / self.n_answered, np.nan)


def differences_of(answers: Sequence[PairedAnswers], arm: Arm, *, metric: Metric) -> list[ArmDifferences]:
    """The paired differences of an arm.

    Parameters
    ----------
    answers : sequence of PairedAnswers
        One per model.
    arm : Arm
        Recipe, train size, checkpoint and strength.
    metric : {"acc", "acc_norm"}
        Which answers are compared.

    Returns
    -------
    list of ArmDifferences
        One per model that has a run in the arm.
    """
    of_models = (_of_model(model, arm, metric) for model in answers)
    return [paired for paired in of_models if paired is not None]


def without_targets(paired: ArmDifferences, targets: Collection[tuple[str, str]]) -> ArmDifferences:
    """The same differences with no answers on some targets.

    Parameters
    ----------
    paired : ArmDifferences
        Paired differences of one model.
    targets : collection of (str, str)
        (task, language) pairs to leave out.

    Returns
    -------
    ArmDifferences
    """
    summed, answered = paired.summed.copy(), paired.answered.copy()
    for task, language, columns in paired.targets():
        if (task, language) in targets:
            summed[:, columns] = 0
            answered[:, columns] = 0
    return replace(paired, summed=summed, answered=answered)


def without_cells(paired: ArmDifferences, cells: Collection[tuple[str, str]]) -> ArmDifferences:
    """The same differences with no answers in some cells.

    Parameters
    ----------
    paired : ArmDifferences
        Paired differences of one model.
    cells : collection of (str, str)
        Names (``task/language``) of the source and the target of each cell to leave out.

    Returns
    -------
    ArmDifferences
    """
    left_out = np.array(
        [[(source, target) in cells for target in paired.target_names] for source in paired.source_names]
    )
    of_item = left_out.reshape(len(paired.source_names), -1)[:, paired.target_of_item]
    return replace(paired, summed=np.where(of_item, 0, paired.summed), answered=np.where(of_item, 0, paired.answered))


def n_clusters(differences: Sequence[ArmDifferences]) -> dict[str, int]:
    """Task -> the most item IDs that any model has of it, in sorted order."""
    sizes: dict[str, int] = {}
    for paired in differences:
        for task, size in paired.n_clusters.items():
            sizes[task] = max(size, sizes.get(task, 0))
    return dict(sorted(sizes.items()))


def _arm_of(run: AnsweredRun) -> Arm:
    return Arm(run.recipe, run.train_size, run.checkpoint, run.strength)


def _of_model(answers: PairedAnswers, arm: Arm, metric: Metric) -> ArmDifferences | None:
    """The differences of an arm's plain cells; None when the model has no run in the arm."""
    rows_by_source: dict[str, list[int]] = {}
    for row, run in enumerate(answers.runs):
        if run.source.kind == "cell" and _arm_of(run) == arm:
            rows_by_source.setdefault(run.source.name, []).append(row)
    if not rows_by_source:
        return None
    right, base = (answers.right, answers.base) if metric == "acc" else (answers.right_norm, answers.base_norm)
    cells = [answers.runs[rows[0]].source.cells[0] for rows in rows_by_source.values()]
    pairs = [_summed(right[rows], base) for rows in rows_by_source.values()]
    targets = answers.targets
    task_of_item = answers.items["target_task"].to_numpy()
    ids = answers.items.select(pl.col("item_id").rank("dense").over("target_task")).to_series()
    clusters = ids.to_numpy().astype(np.int64) - 1
    return ArmDifferences(
        model=answers.model,
        source_names=tuple(rows_by_source),
        source_tasks=np.array([cell.task for cell in cells], dtype=object),
        source_languages=np.array([cell.language for cell in cells], dtype=object),
        target_tasks=tuple(targets["target_task"]),
        target_languages=tuple(targets["target_language"]),
        starts=targets["start"].to_numpy().astype(np.int64),
        clusters=clusters,
        n_clusters={task: int(clusters[task_of_item == task].max()) + 1 for task in sorted(set(task_of_item))},
        summed=np.stack([summed for summed, _ in pairs]),
        answered=np.stack([answered for _, answered in pairs]),
    )


def _summed(right: Bytes, base: Bytes) -> tuple[npt.NDArray[np.int16], npt.NDArray[np.int16]]:
    """Differences and answers of each item, summed over the runs of one source."""
    paired = (right >= 0) & (base >= 0)
    answered = paired.sum(axis=0, dtype=np.int16)
    gained = np.where(paired, right - base, np.int8(0)).sum(axis=0, dtype=np.int16)
    return gained, answered
