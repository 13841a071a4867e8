"""Normal posteriors, and noisy values pulled towards a mean."""

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr, ndtri

from donorgrid.core.arrays import Reals


@dataclass(frozen=True, kw_only=True)
class Posterior:
    """Normal posteriors of true values, shape ``(n,)``, in the units of the response."""

    mean: Reals
    sd: Reals

    def probability_at_most(self, bound: float) -> Reals:
        """The posterior probability that the truth is at most ``bound``, shape ``(n,)``."""
        with np.errstate(divide="ignore", invalid="ignore"):
            z = (bound - self.mean) / self.sd
        return np.where(self.sd > 0, ndtr(np.where(self.sd > 0, z, 0.0)), (self.mean <= bound).astype(float))

    def interval(self, confidence: float) -> tuple[Reals, Reals]:
        """Low and high ends, shape ``(n,)``, that hold the truth with probability ``confidence``."""
        half = float(ndtri((1.0 + confidence) / 2.0)) * self.sd
        return self.mean - half, self.mean + half


def shrink(observed: Reals, noise_se: Reals, prior_mean: Reals, *, prior_variance: float, prior_se: Reals) -> Posterior:
    """Posteriors of truths t ~ N(m, v) observed as y ~ N(t, s^2): w y + (1 - w) m with w = v / (v + s^2).

    The variance is w s^2, plus (1 - w)^2 times the squared standard error of m, because m is estimated too.

    Parameters
    ----------
    observed, noise_se : ndarray
        Values y and their standard errors s, shape ``(n,)``.
    prior_mean, prior_se : ndarray
        Prior means m and their standard errors, shape ``(n,)``.
    prior_variance : float
        Variance v of the truths, 0 or more.

    Returns
    -------
    Posterior

    References
    ----------
    Morris 1983, J. Am. Stat. Assoc. 78, section 2.
    """
    noise = noise_se**2
    weight = weights(prior_variance, noise)
    mean = weight * observed + (1.0 - weight) * prior_mean
    return Posterior(mean=mean, sd=np.sqrt(weight * noise + (1.0 - weight) ** 2 * prior_se**2))


def shrink_to_mean(observed: Reals, noise_se: Reals) -> Posterior:
    """Shrink values to their own mean, with the variance of the truths by the method of moments.

    Parameters
    ----------
    observed, noise_se : ndarray
        Values and their standard errors, shape ``(n,)``, at least two.

    Returns
    -------
    Posterior
    """
    centre, spread = float(observed.mean()), float(np.var(observed, ddof=1))
    return shrink(
        observed,
        noise_se,
        np.full(observed.size, centre),
        prior_variance=max(0.0, spread - float((noise_se**2).mean())),
        prior_se=np.full(observed.size, np.sqrt(spread / observed.size)),
    )


def weights(true: float, noise: Reals) -> Reals:
    """The share of a variance that is not noise: v / (v + s^2).

    Parameters
    ----------
    true : float
        Variance v of the truths.
    noise : ndarray
        Variance s^2 of the noise, shape ``(n,)``.

    Returns
    -------
    ndarray
        Shape ``(n,)``; 1 where both are zero.
    """
    total = true + noise
    return np.asarray(np.where(total > 0, true / np.where(total > 0, total, 1.0), 1.0))
