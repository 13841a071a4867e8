"""Normal posteriors, and noisy values pulled towards a mean that is known beforehand."""

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr

from donorgrid.statistics.mixed_models.design import Reals


@dataclass(frozen=True, kw_only=True)
class Posterior:
    """Normal posteriors (n,) of true deltas, in the units of the response."""

    mean: Reals
    sd: Reals

    def probability_at_most(self, bound: float) -> Reals:
        """The posterior probability (n,) that the truth is at most ``bound``."""
        with np.errstate(divide="ignore", invalid="ignore"):
            z = (bound - self.mean) / self.sd
        return np.where(self.sd > 0, ndtr(np.where(self.sd > 0, z, 0.0)), (self.mean <= bound).astype(float))


def shrink(observed: Reals, noise_se: Reals, prior_mean: Reals, *, prior_variance: float, prior_se: Reals) -> Posterior:
    """Posterior of truths t ~ N(m, v) seen as y ~ N(t, s^2): w y + (1 - w) m with w = v / (v + s^2).

    Variance w s^2, plus (1 - w)^2 times the squared standard error of m, because m is estimated too (Morris 1983,
    J. Am. Stat. Assoc. 78, section 2).
    """
    noise = noise_se**2
    weight = weights(prior_variance, noise)
    mean = weight * observed + (1.0 - weight) * prior_mean
    return Posterior(mean=mean, sd=np.sqrt(weight * noise + (1.0 - weight) ** 2 * prior_se**2))


def weights(true: float, noise: Reals) -> Reals:
    """v / (v + s^2): the share of a variance that is not noise; where there is neither, all of it."""
    both = true + noise
    return np.asarray(np.where(both > 0, true / np.where(both > 0, both, 1.0), 1.0))
