"""Empirical Bayes: noisy deltas pulled towards what the mixed model predicts for their cell."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr

from donorgrid.statistics.design import Design, Reals
from donorgrid.statistics.reml import MixedFit


@dataclass(frozen=True, kw_only=True)
class Posterior:
    """Normal posteriors (n,) of true deltas, in the units of the response."""

    mean: Reals
    sd: Reals

    def probability_at_most(self, limit: float) -> Reals:
        """The posterior probability (n,) that the truth is at most ``limit``."""
        with np.errstate(divide="ignore", invalid="ignore"):
            z = (limit - self.mean) / self.sd
        return np.where(self.sd > 0, ndtr(np.where(self.sd > 0, z, 0.0)), (self.mean <= limit).astype(float))


def row_predictions(design: Design, found: MixedFit, *, kept: Mapping[str, float] | None = None) -> tuple[Reals, Reals]:
    """(mean, standard error), each (n,): X b + Z u of every row, with the prediction error of Henderson's equations.

    ``kept`` (factor -> share) scales a factor's effects in the mean.
    """
    ratios = found.point.ratios
    per_effect = ratios[design.owner]
    active, p = per_effect > 0, design.fixed.shape[1]
    normal = np.block(
        [
            [design.fixed_gram, design.cross[active].T],
            [design.cross[active], design.gram[np.ix_(active, active)] + np.diag(1.0 / per_effect[active])],
        ]
    )
    inverse = np.linalg.inv(normal)
    shares = np.array([1.0 if kept is None else kept.get(name, 1.0) for name in design.names])
    effects = per_effect * found.point.score * shares[design.owner]
    place = np.cumsum(active) - 1 + p
    mean = design.fixed @ found.beta
    spread = np.einsum("ni,ij,nj->n", design.fixed, inverse[:p, :p], design.fixed)
    used = [start + codes for start, codes, t in zip(design.starts, design.codes, ratios, strict=True) if t > 0]
    for one in used:
        mean = mean + effects[one]
        spread = spread + 2.0 * (design.fixed * inverse[place[one], :p]).sum(axis=1)
        for other in used:
            spread = spread + inverse[place[one], place[other]]
    return mean, np.sqrt(np.maximum(spread, 0.0) * found.residual)


def shrink(
    observed: Reals,
    noise_se: Reals,
    prior_mean: Reals,
    *,
    prior_variance: float,
    prior_se: Reals,
    shared_se: Reals | float = 0.0,
) -> Posterior:
    """Posterior of truths t ~ N(m, v) seen as y ~ N(t, s^2): w y + (1 - w) m with w = v / (v + s^2).

    Variance w s^2, plus (1 - w)^2 times the squared standard error of m, because m is estimated too (Morris 1983,
    J. Am. Stat. Assoc. 78, section 2). ``shared_se`` (q) is noise that m and y have in common, as all cells of a target
    answer the same items: it adds (1 - w)^2 q^2 to the error of m and 2 w (1 - w) q^2 of covariance, together
    (1 - w^2) q^2.
    """
    noise = noise_se**2
    with np.errstate(divide="ignore", invalid="ignore"):
        weight = np.where(prior_variance + noise > 0, prior_variance / (prior_variance + noise), 1.0)
    mean = weight * observed + (1.0 - weight) * prior_mean
    shared = (1.0 - weight**2) * np.asarray(shared_se) ** 2
    return Posterior(mean=mean, sd=np.sqrt(weight * noise + (1.0 - weight) ** 2 * prior_se**2 + shared))
