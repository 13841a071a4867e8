"""What training on the target itself gives beyond transfer, by the target's task."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from donorgrid.core.arrays import Reals
from donorgrid.statistics.transfer_model.knowledge import Knowledge
from donorgrid.statistics.transfer_model.scales import Scales


@dataclass(frozen=True, kw_only=True)
class OwnCellGain:
    """The scaled gain of a trained cell over what transfer alone would give it: its mean and spread."""

    mean: float
    variance: float


def fit_own_cells(knowledge: Knowledge, scales: Scales, filled: Reals) -> dict[str, OwnCellGain]:
    """Compare measured own cells with what their row and column say.

    Parameters
    ----------
    knowledge : Knowledge
        The tables.
    scales : Scales
        Their scales.
    filled : ndarray
        Scaled deltas whose own cells are filled as transfer, shape ``(n_models, n_sources, n_targets)``; NaN where a
        source was not measured.

    Returns
    -------
    dict of str to OwnCellGain
        By task; the empty name stands for every task that is not in the knowledge.
    """
    measured = knowledge.delta_pp / scales.of_grid() - filled
    own = knowledge.is_own_cell[None] & np.isfinite(measured)
    tasks = np.array([cell.task for cell in knowledge.targets])
    gains = {task: measured[own & (tasks == task)[None, None, :]] for task in knowledge.tasks}
    everything = np.concatenate(list(gains.values()))
    overall = _gain(everything) if len(everything) > 1 else OwnCellGain(mean=0.0, variance=1.0)
    by_task = {task: _gain(values) if len(values) > 2 else overall for task, values in gains.items()}
    means = np.array([gain.mean for gain in by_task.values()])
    between = float(np.var(means, ddof=1)) if len(means) > 1 else overall.variance
    return {**by_task, "": OwnCellGain(mean=overall.mean, variance=overall.variance + between)}


def gain_of(gains: Mapping[str, OwnCellGain], task: str) -> OwnCellGain:
    """Returns the gain of a task's own cells, or that of an unknown task."""
    return gains.get(task, gains[""])


def _gain(values: Reals) -> OwnCellGain:
    return OwnCellGain(mean=float(values.mean()), variance=float(values.var(ddof=1)))
