"""The sizes of the components, by marginal likelihood with weak priors, and their uncertainty.

Each part of the targets has variances of its own. Their logarithms get normal priors; the posterior is approximated at
its mode (Laplace), and predictions are averaged over draws from it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.linalg import cho_factor, cho_solve
from scipy.optimize import minimize

from donorgrid.core.arrays import Reals

PRIOR_LOG_SD = 1.0
_BELOW, _ABOVE = 9.0, 5.0
_STEP = 1e-3
_MOST_ITERATIONS = 80


@dataclass(frozen=True, kw_only=True)
class LogVariances:
    """A normal approximation of log variances.

    Attributes
    ----------
    mode : ndarray
        Shape ``(n_components,)``.
    factor : ndarray
        A square root of their covariance, shape ``(n_components, n_components)``.
    """

    mode: Reals
    factor: Reals

    def draw(self, rng: np.random.Generator) -> Reals:
        """Draws variances, shape ``(n_components,)``."""
        spread = self.factor @ rng.standard_normal(len(self.mode))
        return np.exp(self.mode + np.clip(spread, -PRIOR_LOG_SD * 2, PRIOR_LOG_SD * 2))


@dataclass(frozen=True, kw_only=True)
class Contrasts:
    """Deltas along the contrasts of one stratum.

    Attributes
    ----------
    values : ndarray
        Shape ``(n_adapters, n_contrasts)``, scaled.
    size : float
        The stratum's size.
    noise : ndarray
        Variance of the noise, shape ``(n_adapters,)``.
    """

    values: Reals
    size: float
    noise: Reals


def fit_log_variances(contrasts: Sequence[Contrasts], covariances: Reals, prior_mean: Reals | None) -> LogVariances:
    """Fit the variances of one part of the targets.

    Parameters
    ----------
    contrasts : sequence of Contrasts
        The part's strata, all of the same adapters.
    covariances : ndarray
        Covariances of unit size, shape ``(n_components, n_adapters, n_adapters)``.
    prior_mean : ndarray or None
        Prior means of the log variances, shape ``(n_components,)``; None shares the mean square out equally.

    Returns
    -------
    LogVariances
    """
    mean_square = float(np.mean([(part.values**2).mean() for part in contrasts])) or _STEP
    prior = np.full(len(covariances), np.log(mean_square / 2 / len(covariances))) if prior_mean is None else prior_mean

    def objective(logs: Reals) -> tuple[float, Reals]:
        return _negative_log_posterior(logs, contrasts, covariances, prior)

    bounds = [(value - _BELOW, value + _ABOVE) for value in prior]
    fitted = minimize(
        objective, prior, jac=True, method="L-BFGS-B", bounds=bounds, options={"maxiter": _MOST_ITERATIONS}
    )
    return LogVariances(mode=fitted.x, factor=_laplace_factor(fitted.x, objective))


def _negative_log_posterior(
    logs: Reals, contrasts: Sequence[Contrasts], covariances: Reals, prior: Reals
) -> tuple[float, Reals]:
    variances = np.exp(logs)
    common = np.tensordot(variances, covariances, axes=1)
    value = 0.5 * float(((logs - prior) ** 2).sum()) / PRIOR_LOG_SD**2
    gradient = (logs - prior) / PRIOR_LOG_SD**2
    for part in contrasts:
        factor = cho_factor(part.size * common + np.diag(part.noise), lower=True)
        solved = cho_solve(factor, part.values)
        n_contrasts = part.values.shape[1]
        value += 0.5 * float((part.values * solved).sum())
        value += n_contrasts * float(np.log(np.diag(factor[0])).sum())
        inverse = cho_solve(factor, np.eye(len(common)))
        sensitivity = n_contrasts * inverse - solved @ solved.T
        gradient = gradient + 0.5 * part.size * variances * np.tensordot(covariances, sensitivity, axes=2)
    return value, gradient


def _laplace_factor(mode: Reals, objective: Callable[[Reals], tuple[float, Reals]]) -> Reals:
    """A square root of the inverse Hessian at the mode, the Hessian no flatter than the prior's."""
    n = len(mode)
    hessian = np.zeros((n, n))
    for index in range(n):
        step = np.zeros(n)
        step[index] = _STEP
        hessian[index] = (objective(mode + step)[1] - objective(mode - step)[1]) / (2 * _STEP)
    values, vectors = np.linalg.eigh((hessian + hessian.T) / 2)
    return np.asarray(vectors / np.sqrt(np.maximum(values, 1 / PRIOR_LOG_SD**2)))
