"""What training on the target itself gives beyond transfer, by the target's task."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from donorgrid.core.arrays import Reals
from donorgrid.statistics.transfer_model.knowledge import Knowledge
from donorgrid.statistics.transfer_model.scales import Scales


@dataclass(frozen=True, kw_only=True)
class TrainedCellGain:
    """The scaled gain of a trained cell over what transfer alone would give it: its mean and spread."""

    mean: float
    variance: float


def fit_trained_cells(knowledge: Knowledge, scales: Scales, filled: Reals) -> dict[str, TrainedCellGain]:
    """Compare measured trained cells with what their row and column say.

    Parameters
    ----------
    knowledge : Knowledge
        The tables.
    scales : Scales
        Their scales.
    filled : ndarray
        Scaled deltas whose trained cells are filled as transfer, shape ``(n_models, n_sources, n_targets)``; NaN for a
        source that was not measured.

    Returns
    -------
    dict of str to TrainedCellGain
        By task; the empty name stands for every task that is not in the knowledge.
    """
    measured = knowledge.delta_pp / scales.of_grid() - filled
    trained = knowledge.is_trained_cell[None] & np.isfinite(measured)
    tasks = np.array([cell.task for cell in knowledge.targets])
    gains = {task: measured[trained & (tasks == task)[None, None, :]] for task in knowledge.tasks}
    everything = np.concatenate(list(gains.values()))
    overall = _gain(everything) if len(everything) > 1 else TrainedCellGain(mean=0.0, variance=1.0)
    by_task = {task: _gain(values) if len(values) > 2 else overall for task, values in gains.items()}
    means = np.array([gain.mean for gain in by_task.values()])
    between = float(np.var(means, ddof=1)) if len(means) > 1 else overall.variance
    return {**by_task, "": TrainedCellGain(mean=overall.mean, variance=overall.variance + between)}


def gain_of(gains: Mapping[str, TrainedCellGain], task: str) -> TrainedCellGain:
    """The gain of a task's trained cells.

    Parameters
    ----------
    gains : mapping of str to TrainedCellGain
        As ``fit_trained_cells`` gives them.
    task : str
        One that is not in the knowledge has the mean of all, with the spread between tasks.

    Returns
    -------
    TrainedCellGain
    """
    return gains.get(task, gains[""])


def _gain(values: Reals) -> TrainedCellGain:
    return TrainedCellGain(mean=float(values.mean()), variance=float(values.var(ddof=1)))
