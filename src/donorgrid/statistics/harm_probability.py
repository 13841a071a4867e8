"""The probability of harm: a posterior of the true change of a target, under a prior that is named with it.

Of n answers, m change, and g of these become right. The share f of answers that change and the share h of gains among
them are independent: f ~ Beta(1/2, 1/2) (Jeffreys), h ~ Beta(2, 2). The data update each alone, f ~ Beta(1/2 + m,
1/2 + n - m) and h ~ Beta(2 + g, 2 + m - g), and the true change is f (2 h - 1).
"""

import numpy as np
from scipy.special import betainc, betaincinv

from donorgrid.core.arrays import Reals

PRIOR = "share of answers that change ~ Beta(1/2, 1/2), share of gains among them ~ Beta(2, 2)"
_CHANGES, _GAINS = 0.5, 2.0
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(96)


def harm_probability(gained: float, lost: float, n_items: float, limit_pp: float) -> float:
    """The posterior probability that the true change is at most minus the limit.

    P(f (2 h - 1) <= -limit) is the mean over f of P(h <= (1 - limit / f) / 2), by Gauss-Legendre sums over the
    quantiles of f.

    Parameters
    ----------
    gained, lost : float
        Items that became right, and that became wrong; counts of clustered items are divided by the design effect.
    n_items : float
        Items compared, above 0.
    limit_pp : float
        Percentage points, 0 or more.

    Returns
    -------
    float
        From 0 to 1.

    References
    ----------
    Gelman et al. 2013, Bayesian Data Analysis, chapter 2.
    """
    limit, changed = limit_pp / 100.0, gained + lost
    quantiles = (_NODES + 1.0) / 2.0
    rates = betaincinv(_CHANGES + changed, _CHANGES + n_items - changed, quantiles)
    possible = rates > limit
    edge = np.where(possible, (1.0 - limit / np.where(possible, rates, 1.0)) / 2.0, 0.0)
    below = np.where(possible, betainc(_GAINS + gained, _GAINS + lost, edge), 0.0)
    return float(np.clip(_WEIGHTS @ below / 2.0, 0.0, 1.0))


def prior_draws(n_draws: int, rng: np.random.Generator) -> tuple[Reals, Reals]:
    """True shares of gains and of losses, drawn from the prior.

    Parameters
    ----------
    n_draws : int
        Draws.
    rng : numpy.random.Generator
        Source of the draws.

    Returns
    -------
    gain, loss : ndarray
        Shape ``(n_draws,)``, from 0 to 1, at most 1 together.
    """
    changes, gains = rng.beta(_CHANGES, _CHANGES, n_draws), rng.beta(_GAINS, _GAINS, n_draws)
    return changes * gains, changes * (1.0 - gains)
