"""Draws with replacement as weights: how often each unit counts."""

import numpy as np

from donorgrid.core.arrays import Reals, Singles


def draw_counts(n_units: int, n_draws: int, rng: np.random.Generator) -> Singles:
    """How often each unit is drawn, when as many are drawn with replacement as there are.

    Parameters
    ----------
    n_units, n_draws : int
        Units to draw from, and draws.
    rng : numpy.random.Generator
        Source of the draws.

    Returns
    -------
    ndarray of float32
        Shape ``(n_units, n_draws)``; each column adds up to ``n_units``.
    """
    return rng.multinomial(n_units, np.full(n_units, 1.0 / n_units), size=n_draws).T.astype(np.float32)


def counts_of_counts(counts: Singles, rng: np.random.Generator) -> Singles:
    """How often each unit is drawn from what was drawn before.

    Parameters
    ----------
    counts : ndarray of float32
        As ``draw_counts`` returns them, shape ``(n_units, n_draws)``.
    rng : numpy.random.Generator
        Source of the draws.

    Returns
    -------
    ndarray of float32
        Shape ``(n_units, n_draws)``; each column adds up to ``n_units``.
    """
    n_units = len(counts)
    return rng.multinomial(n_units, counts.T.astype(np.float64) / n_units).T.astype(np.float32)


def enlarged_deviations(shape: tuple[int, ...], n_units: int, rng: np.random.Generator) -> Reals:
    """Draw counts less one, times sqrt(k / (k - 1)): a mean of k units drawn again spreads too little by that.

    Parameters
    ----------
    shape : tuple of int
        Shape of the independent draws.
    n_units : int
        Units to draw from (k), at least two.
    rng : numpy.random.Generator
        Source of the draws.

    Returns
    -------
    ndarray
        Shape ``(*shape, n_units)``.

    References
    ----------
    Davison & Hinkley 1997, Bootstrap Methods and their Application, section 2.3.
    """
    counts = rng.multinomial(n_units, np.full(n_units, 1.0 / n_units), size=shape)
    return np.asarray((counts - 1.0) * np.sqrt(n_units / (n_units - 1.0)))


def unexplained_scale(squares: float, degrees: float, excess_variance: float) -> float:
    """The factor that leaves of deviations between runs the part that items do not explain, at most 1.

    Parameters
    ----------
    squares : float
        Sum of the squared deviations from the mean over runs.
    degrees : float
        Their degrees of freedom.
    excess_variance : float
        Variance between runs beyond what items explain, in the units of ``squares``.

    Returns
    -------
    float
        sqrt(excess variance / variance between runs); 0 where runs do not differ.
    """
    between = squares / degrees if degrees else 0.0
    return float(np.sqrt(min(1.0, excess_variance / between))) if between > 0 else 0.0
