"""Predictive distributions of measured deltas: even mixtures of normal or Student t distributions."""

from dataclasses import dataclass

import numpy as np
from scipy.special import gammaln, ndtr, stdtr

_STEPS = 40


@dataclass(frozen=True, kw_only=True)
class Predictive:
    """One distribution per cell.

    Attributes
    ----------
    mean, sd : ndarray
        Of the components, shape ``(n_components, n_rows, n_targets)``; ``sd`` is the scale of a t distribution.
    degrees : float
        Degrees of freedom; infinity for normal components.
    """

    mean: np.ndarray
    sd: np.ndarray
    degrees: float = np.inf

    def rows(self, rows: np.ndarray) -> "Predictive":
        return Predictive(mean=self.mean[:, rows], sd=self.sd[:, rows], degrees=self.degrees)

    def point(self) -> np.ndarray:
        return self.mean.mean(axis=0)

    def log_density(self, values: np.ndarray) -> np.ndarray:
        logs = standard_log_density((values - self.mean) / self.sd, self.degrees) - np.log(self.sd)
        return np.logaddexp.reduce(logs, axis=0) - np.log(len(logs))

    def below(self, values: np.ndarray) -> np.ndarray:
        """The probability of at most these values."""
        z = (values - self.mean) / self.sd
        return (ndtr(z) if np.isinf(self.degrees) else stdtr(self.degrees, z)).mean(axis=0)

    def quantile(self, probability: float) -> np.ndarray:
        """By bisection between the components' far tails."""
        low, high = (self.mean - 12 * self.sd).min(axis=0), (self.mean + 12 * self.sd).max(axis=0)
        for _ in range(_STEPS):
            middle = (low + high) / 2
            under = self.below(middle) < probability
            low, high = np.where(under, middle, low), np.where(under, high, middle)
        return (low + high) / 2


def standard_log_density(z: np.ndarray, degrees: float) -> np.ndarray:
    """Log density of the standard normal (infinite degrees) or Student t distribution."""
    if np.isinf(degrees):
        return -0.5 * z**2 - 0.5 * np.log(2 * np.pi)
    constant = gammaln((degrees + 1) / 2) - gammaln(degrees / 2) - 0.5 * np.log(degrees * np.pi)
    return constant - (degrees + 1) / 2 * np.log1p(z**2 / degrees)
