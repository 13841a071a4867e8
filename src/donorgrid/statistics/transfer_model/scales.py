"""How large the deltas of a model and of a target are: log-normal scales that the Gaussian model is divided by."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from donorgrid.core.arrays import Reals
from donorgrid.statistics.transfer_model.knowledge import Knowledge

_FLOOR_PP = 0.2
"""The least standard deviation: a target that no source moves has a scale all the same."""
_UNKNOWN_LOG_SD = 0.6
_LEAST_LOG_SD = 0.2
_CELLS_OF_PRIOR = 10.0
_FEWEST_DEGREES, _MOST_DEGREES = 3.0, 30.0


@dataclass(frozen=True, kw_only=True)
class Scales:
    """Scales a_m of models and g_t of targets; a delta has the scale a_m g_t.

    Attributes
    ----------
    models : ndarray
        a_m in pp, shape ``(n_models,)``.
    targets : ndarray
        g_t, geometric mean 1 over the grid, shape ``(n_targets,)``.
    model_log_sd : float
        Standard deviation of log a_m between models: the prior of a new model.
    degrees : float
        Degrees of freedom that stand for how well a (model, target) keeps to a_m g_t.
    source_tasks : mapping of str to float
        How large the effects of a task's sources are, geometric mean 1: a factor of the Gaussian terms, not the noise.
    task_log_sd : mapping of str to float
        Standard deviation between models of how far a task's targets depart together from a_m g_t, on the log scale.
    """

    models: Reals
    targets: Reals
    model_log_sd: float
    degrees: float
    source_tasks: Mapping[str, float] = field(default_factory=dict)
    task_log_sd: Mapping[str, float] = field(default_factory=dict)

    def of_grid(self) -> Reals:
        """a_m g_t, shape ``(n_models, 1, n_targets)``."""
        return self.models[:, None, None] * self.targets[None, None, :]


def fit_scales(knowledge: Knowledge) -> Scales:
    """Fit a_m and g_t to the standard deviations over sources, less what noise explains of them.

    log s[m, t] = log a_m + log g_t + error; the g_t of a task are pulled towards their mean by the error's share.

    Parameters
    ----------
    knowledge : Knowledge
        At least one model; targets with fewer than two measured sources take their task's mean.

    Returns
    -------
    Scales
    """
    deltas = np.where(knowledge.is_trained_cell[None], np.nan, knowledge.delta_pp)
    enough = np.isfinite(deltas).sum(axis=1) >= 2
    centred = deltas - _nan_mean(deltas, axis=1)[:, None, :]
    true_square = centred**2 - _known_noise(knowledge, deltas)
    tasks = np.array([cell.task for cell in knowledge.sources])
    blocks = np.array([_nan_mean(true_square[:, tasks == task], axis=1) for task in sorted(set(tasks.tolist()))])
    block_logs = 0.5 * np.log(np.maximum(blocks, 0.0) + _FLOOR_PP**2)
    logs = np.where(enough, _nan_mean(block_logs, axis=0), np.nan)
    overall = float(np.nanmean(logs)) if enough.any() else 0.0
    target_logs = _nan_mean(logs - _nan_mean(logs, axis=1)[:, None], axis=0)
    target_logs = _pull_to_tasks(target_logs, logs, [cell.task for cell in knowledge.targets])
    target_logs = target_logs - target_logs.mean()
    model_logs = _nan_mean(logs - target_logs, axis=1)
    model_logs = np.where(np.isfinite(model_logs), model_logs, overall)
    residual = logs - model_logs[:, None] - target_logs
    together = _task_departures(residual, [cell.task for cell in knowledge.targets])
    between = float(np.var(model_logs, ddof=1)) if len(model_logs) > 1 else _UNKNOWN_LOG_SD**2
    return Scales(
        models=np.exp(model_logs),
        targets=np.exp(target_logs),
        model_log_sd=float(np.sqrt(max(between, _LEAST_LOG_SD**2))),
        degrees=_degrees_of_freedom((residual - together)[enough]),
        source_tasks=_source_scales(knowledge, centred / np.exp(model_logs[:, None] + target_logs)[:, None, :]),
        task_log_sd=_task_log_sds(together, [cell.task for cell in knowledge.targets]),
    )


def _task_departures(residual: Reals, tasks: list[str]) -> Reals:
    """The mean residual of each model over the targets of each target's task, shape ``(n_models, n_targets)``."""
    names = np.array(tasks)
    together = np.zeros_like(residual)
    for task in set(tasks):
        members = names == task
        together[:, members] = np.nan_to_num(_nan_mean(residual[:, members], axis=1))[:, None]
    return together


def _task_log_sds(together: Reals, tasks: list[str]) -> dict[str, float]:
    """The spread between models by task, pulled to the mean of the tasks as if that were one model more."""
    n_models = len(together)
    if n_models < 2:
        return dict.fromkeys(sorted(set(tasks)), _UNKNOWN_LOG_SD)
    squares = {task: float((together[:, tasks.index(task)] ** 2).sum()) / (n_models - 1) for task in sorted(set(tasks))}
    typical = float(np.mean(list(squares.values())))
    return {task: float(np.sqrt(((n_models - 1) * square + typical) / n_models)) for task, square in squares.items()}


def _known_noise(knowledge: Knowledge, deltas: Reals) -> Reals:
    """The noise of each delta; that of the same cell in other models where it is unknown, else 0."""
    noise = knowledge.noise_variance
    by_cell = np.nan_to_num(_nan_mean(noise, axis=0))
    return np.where(np.isfinite(deltas), np.where(np.isfinite(noise), noise, by_cell), np.nan)


def _source_scales(knowledge: Knowledge, scaled: Reals) -> dict[str, float]:
    """The root mean square of each task's sources over models and targets, as a ratio to their geometric mean."""
    tasks = np.array([cell.task for cell in knowledge.sources])
    squares = {task: scaled[:, tasks == task] ** 2 for task in sorted(set(tasks.tolist()))}
    logs = {task: _log_rms(values[np.isfinite(values)]) for task, values in squares.items()}
    typical = float(np.mean(list(logs.values())))
    return {task: float(np.exp(value - typical)) for task, value in logs.items()}


def _log_rms(squares: Reals) -> float:
    """Half the log of the mean square, which is pulled to 1 as if there were a few cells of that size more."""
    return 0.5 * float(np.log((squares.sum() + _CELLS_OF_PRIOR) / (squares.size + _CELLS_OF_PRIOR)))


def _nan_mean(values: Reals, *, axis: int) -> Reals:
    """The mean over what is not NaN; NaN where everything is."""
    known = np.isfinite(values)
    n = known.sum(axis=axis)
    total = np.where(known, values, 0.0).sum(axis=axis)
    return np.where(n > 0, total / np.maximum(n, 1), np.nan)


def _pull_to_tasks(target_logs: Reals, logs: Reals, tasks: list[str]) -> Reals:
    """Each target's log scale, pulled to the mean of its task by the share of its variance that is error."""
    pulled = target_logs.copy()
    overall = float(np.nanmean(target_logs)) if np.isfinite(target_logs).any() else 0.0
    n_models = np.maximum(np.isfinite(logs).sum(axis=0), 1)
    error = np.nanvar(logs - _nan_mean(logs, axis=1)[:, None] - target_logs, ddof=0) if len(logs) > 1 else 0.1
    for task in set(tasks):
        members = np.array([name == task for name in tasks])
        known = members & np.isfinite(target_logs)
        if not known.any():
            pulled[members] = overall
            continue
        mean = float(target_logs[known].mean())
        spread = float(np.var(target_logs[known], ddof=1)) if known.sum() > 1 else 0.0
        true = max(spread - error / float(n_models[known].mean()), 0.0)
        weight = true / (true + error / n_models) if true > 0 else np.zeros(len(tasks))
        pulled[members] = np.where(known, mean + weight * (target_logs - mean), mean)[members]
    return pulled


def _degrees_of_freedom(residual: Reals) -> float:
    """Degrees nu for which log chi_nu / sqrt(nu) has the residuals' variance, about 1 / (2 nu)."""
    variance = float(np.var(residual)) if residual.size > 1 else 0.0
    return float(np.clip(1.0 / (2.0 * variance) if variance > 0 else _MOST_DEGREES, _FEWEST_DEGREES, _MOST_DEGREES))
