"""How large the deltas of a model and of a target are: log-normal scales that the Gaussian model is divided by."""

from dataclasses import dataclass

import numpy as np

from donorgrid.core.arrays import Reals
from donorgrid.statistics.transfer_model.knowledge import Knowledge

_FLOOR_PP = 0.2
"""Added to every standard deviation: a target that no source moves has a scale all the same."""
_UNKNOWN_LOG_SD = 0.6
_LEAST_LOG_SD = 0.2
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
    """

    models: Reals
    targets: Reals
    model_log_sd: float
    degrees: float

    def of_grid(self) -> Reals:
        """a_m g_t, shape ``(n_models, 1, n_targets)``."""
        return self.models[:, None, None] * self.targets[None, None, :]


def fit_scales(knowledge: Knowledge) -> Scales:
    """Fit a_m and g_t to the standard deviations over sources.

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
    sd = np.sqrt(_nan_mean(centred**2, axis=1))
    logs = np.where(enough, np.log(np.where(enough, sd, 1.0) + _FLOOR_PP), np.nan)
    overall = float(np.nanmean(logs)) if enough.any() else 0.0
    target_logs = _nan_mean(logs - _nan_mean(logs, axis=1)[:, None], axis=0)
    target_logs = _pull_to_tasks(target_logs, logs, [cell.task for cell in knowledge.targets])
    target_logs = target_logs - target_logs.mean()
    model_logs = _nan_mean(logs - target_logs, axis=1)
    model_logs = np.where(np.isfinite(model_logs), model_logs, overall)
    residual = (logs - model_logs[:, None] - target_logs)[enough]
    between = float(np.var(model_logs, ddof=1)) if len(model_logs) > 1 else _UNKNOWN_LOG_SD**2
    return Scales(
        models=np.exp(model_logs),
        targets=np.exp(target_logs),
        model_log_sd=float(np.sqrt(max(between, _LEAST_LOG_SD**2))),
        degrees=_degrees_of_freedom(residual),
    )


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
