"""Draws of the scales of the model in question: its own, and how far tasks and targets depart from it."""

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np

from donorgrid.core.arrays import Reals
from donorgrid.core.records import Cell
from donorgrid.statistics.transfer_model.model import TransferModel
from donorgrid.statistics.transfer_model.question import Measured, Question, ScaledPrior

_DEGREES_PER_SOURCE = 4.0
"""A source's deltas share much; together they count as so many independent ones for the model's scale."""
_SHARE_PER_SOURCE = 0.7
"""A target's deltas from several sources share its mean, so each counts less than one degree of freedom."""
_LEAST_RATIO = 1e-3


def target_scales(model: TransferModel, targets: Sequence[Cell]) -> Reals:
    """The scales g_t of targets.

    Parameters
    ----------
    model : TransferModel
        Fitted to the knowledge.
    targets : sequence of Cell
        One that was not measured has the geometric mean of its task, else of all.

    Returns
    -------
    ndarray
        Shape ``(n_targets,)``.
    """
    logs = dict(zip(model.knowledge.targets, np.log(model.scales.targets), strict=True))
    by_task: dict[str, list[float]] = {}
    for cell, value in logs.items():
        by_task.setdefault(cell.task, []).append(float(value))
    typical = {task: float(np.mean(values)) for task, values in by_task.items()}
    return np.exp([logs.get(cell, typical.get(cell.task, 0.0)) for cell in targets])


def draw_scales(model: TransferModel, question: Question, *, prior: ScaledPrior, rng: np.random.Generator) -> Reals:
    """Draw what the scaled deltas of each target are multiplied by.

    log a_m is normal: between the knowledge models, sharpened by the mean square of what was measured. So is the common
    departure of a task's targets. A single target's departure is a scaled inverse chi: between the knowledge models'
    targets, sharpened alike.

    Parameters
    ----------
    model : TransferModel
        Fitted to the knowledge.
    question : Question
        What was measured, if anything.
    prior : ScaledPrior
        Means and variances of the scaled deltas.
    rng : Generator
        Of the draws.

    Returns
    -------
    ndarray
        a_m g_t times the departure, in pp, shape ``(n_targets,)``.
    """
    targets = target_scales(model, question.targets)
    scales = model.scales
    further = 1 + 1 / len(scales.models)
    size = _Normal(mean=float(np.log(scales.models).mean()), variance=scales.model_log_sd**2 * further)
    tasks = np.array([cell.task for cell in question.targets])
    names = sorted(set(tasks.tolist()))
    unknown = float(np.mean(list(scales.task_log_sd.values()))) if scales.task_log_sd else 0.0
    together = {
        name: _Normal(mean=0.0, variance=scales.task_log_sd.get(name, unknown) ** 2 * further) for name in names
    }
    degrees, ratios = np.full(len(targets), scales.degrees), np.ones(len(targets))
    if question.measured is not None:
        cells = _scaled_cells(question.measured, prior, targets)
        size = _sharpened(size, cells, log_size=size.mean)
        of_task = tasks[cells.target]
        together = {
            name: _sharpened(part, cells.chosen(of_task == name), log_size=size.mean) for name, part in together.items()
        }
        expected = size.mean + np.array([together[task].mean for task in of_task])
        degrees, ratios = _departures(cells, expected, degrees)
    log_size = size.draw(rng)
    by_task = {name: part.draw(rng) for name, part in together.items()}
    a_m = np.exp([log_size + by_task[task] for task in tasks])
    return np.asarray(targets * a_m * np.sqrt(ratios * degrees / rng.chisquare(degrees)))


@dataclass(frozen=True, kw_only=True)
class _Normal:
    mean: float
    variance: float

    def draw(self, rng: np.random.Generator) -> float:
        return self.mean + float(np.sqrt(self.variance) * rng.standard_normal())


@dataclass(frozen=True, kw_only=True)
class _Cells:
    """Measured deltas divided by g_t, with their expected means, variances and noise; shape ``(n,)`` each."""

    source: np.ndarray
    target: np.ndarray
    value: Reals
    mean: Reals
    variance: Reals
    noise: Reals

    def chosen(self, which: np.ndarray) -> "_Cells":
        """Returns some of the cells."""
        return _Cells(**{item.name: getattr(self, item.name)[which] for item in fields(self)})


def _scaled_cells(measured: Measured, prior: ScaledPrior, targets: Reals) -> _Cells:
    rows, columns = measured.index.T
    noise = (measured.noise_variance + measured.baseline_variance[columns]) / targets[columns] ** 2
    return _Cells(
        source=rows,
        target=columns,
        value=measured.delta_pp / targets[columns],
        mean=prior.mean[rows, columns],
        variance=prior.variance()[rows, columns],
        noise=noise,
    )


def _sharpened(size: _Normal, cells: _Cells, *, log_size: float) -> _Normal:
    """The size's posterior; ``log_size`` is what the cells' values were expected to be multiplied by."""
    if not len(cells.value):
        return size
    expected = float((cells.variance + cells.mean**2).mean()) * np.exp(2 * log_size)
    ratio = float(cells.value @ cells.value / len(cells.value) - cells.noise.mean()) / expected
    shift = 0.5 * np.log(max(ratio, _LEAST_RATIO))
    blurred = 1 + float(cells.noise.mean()) / expected
    error = blurred**2 / (2.0 * _DEGREES_PER_SOURCE * len(np.unique(cells.source)))
    weight = size.variance / (size.variance + error)
    return _Normal(mean=size.mean + weight * shift, variance=size.variance * (1 - weight))


def _departures(cells: _Cells, log_size: Reals, degrees: Reals) -> tuple[Reals, Reals]:
    """Degrees of freedom and mean squares of each target, with what was measured of it."""
    a_m = np.exp(log_size)
    squares = (cells.value - a_m * cells.mean) ** 2 / (a_m**2 * cells.variance + cells.noise)
    n = np.bincount(cells.target, minlength=len(degrees))
    mean_square = np.bincount(cells.target, weights=squares, minlength=len(degrees)) / np.maximum(n, 1)
    extra = _SHARE_PER_SOURCE * n
    ratios = (degrees + extra * np.where(n > 0, mean_square, 1.0)) / (degrees + extra)
    return degrees + extra, ratios
