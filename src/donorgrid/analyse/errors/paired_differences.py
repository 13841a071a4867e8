"""One arm's paired differences per item, seeds summed: what flips, splits and clustered errors are made of."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt
import polars as pl

from donorgrid.analyse.reading.answers import Bytes, PairedAnswers
from donorgrid.analyse.reading.arms import Arm
from donorgrid.core.records import Metric

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class ArmDifferences:
    """Differences of one model's plain cells in one arm, (sources, items): summed over seeds, and how many answered.

    ``clusters`` (items) numbers the item IDs within their task: the same ID in another language, and in another model
    with the same items, has the same number. ``starts`` are where the targets begin.
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
    summed: npt.NDArray[np.int16] | npt.NDArray[np.float64]
    answered: npt.NDArray[np.int16]

    def targets(self) -> Iterator[tuple[str, str, slice]]:
        """(task, language, its columns) of each target."""
        ends = [*self.starts[1:].tolist(), self.summed.shape[1]]
        for task, language, start, end in zip(
            self.target_tasks, self.target_languages, self.starts.tolist(), ends, strict=True
        ):
            yield task, language, slice(start, end)

    @cached_property
    def n_answered(self) -> npt.NDArray[np.float64]:
        """(sources, targets): answers per cell, items times seeds."""
        return np.add.reduceat(self.answered, self.starts, axis=1, dtype=np.int64).astype(np.float64)

    @cached_property
    def delta_pp(self) -> npt.NDArray[np.float64]:
        """(sources, targets): the cells' deltas; NaN where a cell has no answers."""
        wide = np.float64 if self.summed.dtype.kind == "f" else np.int64
        total = np.add.reduceat(self.summed, self.starts, axis=1, dtype=wide)
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.where(self.n_answered > 0, 100.0 * total / self.n_answered, np.nan)


def differences_of(answers: Sequence[PairedAnswers], arm: Arm, *, metric: Metric) -> list[ArmDifferences]:
    """One ``ArmDifferences`` per model that has a run in the arm."""
    found = (arm_differences(one, arm, metric=metric) for one in answers)
    return [one for one in found if one is not None]


def without_targets(made: ArmDifferences, targets: Collection[tuple[str, str]]) -> ArmDifferences:
    """The same differences with no answers on the given (task, language) targets."""
    summed, answered = made.summed.copy(), made.answered.copy()
    for task, language, columns in made.targets():
        if (task, language) in targets:
            summed[:, columns] = 0
            answered[:, columns] = 0
    return replace(made, summed=summed, answered=answered)


def arm_differences(answers: PairedAnswers, arm: Arm, *, metric: Metric) -> ArmDifferences | None:
    """The differences of an arm's plain cells; None when the model has no run in the arm."""
    members: dict[str, list[int]] = {}
    for row, run in enumerate(answers.runs):
        if run.source.kind == "cell" and Arm(run.recipe, run.train_size, run.checkpoint) == arm:
            members.setdefault(run.source.name, []).append(row)
    if not members:
        return None
    right, base = (answers.right, answers.base) if metric == "acc" else (answers.right_norm, answers.base_norm)
    cells = [answers.runs[rows[0]].source.cells[0] for rows in members.values()]
    pairs = [_summed(right[rows], base) for rows in members.values()]
    targets = answers.targets
    task_of_item = answers.items["target_task"].to_numpy()
    ids = answers.items.select(pl.col("item_id").rank("dense").over("target_task")).to_series()
    clusters = ids.to_numpy().astype(np.int64) - 1
    return ArmDifferences(
        model=answers.model,
        source_names=tuple(members),
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
    paired = (right >= 0) & (base >= 0)
    answered = paired.sum(axis=0, dtype=np.int16)
    gained = np.where(paired, right - base, np.int8(0)).sum(axis=0, dtype=np.int16)
    return gained, answered
