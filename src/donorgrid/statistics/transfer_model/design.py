"""Which adapters of a new model tell most of all its cells, before any of them was measured."""

from collections.abc import Sequence

import numpy as np

from donorgrid.core.arrays import Reals
from donorgrid.core.records import Cell
from donorgrid.statistics.transfer_model.model import TransferModel
from donorgrid.statistics.transfer_model.new_model import NewModelPrior, prior_of_new_model


def telling_sources(model: TransferModel, sources: Sequence[Cell], *, family: str, n_per_task: int) -> list[int]:
    """Choose sources, the same number of each task, that leave the least variance of all scaled deltas.

    Each step adds the source that lowers the sum of the posterior variances most. The variances are at their mode, and
    Gaussian posterior variances do not depend on what is measured, so the choice needs no measurement.

    Parameters
    ----------
    model : TransferModel
        Fitted to models other than the one in question.
    sources : sequence of Cell
        What may be trained.
    family : str
        The new model's family.
    n_per_task : int
        Sources of each task; a task with fewer gives all it has.

    Returns
    -------
    list of int
        Indices into ``sources``, the most telling first.
    """
    modes = {part: np.exp(logs.mode) for part, logs in model.variances.items()}
    prior = prior_of_new_model(
        model, [{cell: 1.0} for cell in sources], model.knowledge.targets, family=family, variances=modes
    )
    noise = float(model.noise.mean()) if model.noise.size else 0.0
    chosen: list[int] = []
    while candidates := _open(sources, chosen, n_per_task):
        chosen.append(max(candidates, key=lambda index: _explained(prior, [*chosen, index], noise)))
    return chosen


def _open(sources: Sequence[Cell], chosen: Sequence[int], n_per_task: int) -> list[int]:
    """The sources whose task has not had its number yet."""
    tasks = [sources[index].task for index in chosen]
    return [i for i, cell in enumerate(sources) if i not in chosen and tasks.count(cell.task) < n_per_task]


def _explained(prior: NewModelPrior, chosen: list[int], noise: float) -> float:
    """How much of the summed variance the chosen sources take away."""
    total = 0.0
    for source, target in zip(prior.source_covariances, prior.target_covariances, strict=True):
        observed: Reals = source[np.ix_(chosen, chosen)] + noise * np.eye(len(chosen))
        shared = source[:, chosen]
        total += float(np.trace(target)) * float((shared.T * np.linalg.solve(observed, shared.T)).sum())
    return total
