"""Ranks with ties averaged, and Spearman's correlation."""

import numpy as np

from donorgrid.core.arrays import Reals


def average_ranks(values: Reals) -> Reals:
    """Ranks 1, 2, ... along the last axis; ties share their mean.

    As ``scipy.stats.rankdata``; importing ``scipy.stats`` would add 0.3 s to the 0.8 s of the analysis.

    Parameters
    ----------
    values : ndarray
        Shape ``(..., n)``.

    Returns
    -------
    ndarray
        Shape ``(..., n)``; a row with a NaN is all NaN.
    """
    order = np.argsort(values, axis=-1)
    ordered = np.take_along_axis(values, order, axis=-1)
    positions = np.broadcast_to(np.arange(values.shape[-1]), values.shape)
    differ = ordered[..., 1:] != ordered[..., :-1]
    edge = np.ones((*values.shape[:-1], 1), dtype=bool)
    first = np.maximum.accumulate(np.where(np.concatenate([edge, differ], axis=-1), positions, 0), axis=-1)
    ends = np.where(np.concatenate([differ, edge], axis=-1), positions, values.shape[-1])
    last = np.flip(np.minimum.accumulate(np.flip(ends, axis=-1), axis=-1), axis=-1)
    ranks = np.empty(values.shape, dtype=np.float64)
    np.put_along_axis(ranks, order, (first + last) / 2.0 + 1.0, axis=-1)
    return np.where(np.isnan(values).any(axis=-1, keepdims=True), np.nan, ranks)


def spearman(x: Reals, y: Reals) -> float:
    """Spearman's rank correlation over the positions that both have.

    Parameters
    ----------
    x, y : ndarray
        Shape ``(n,)``; NaN is a hole.

    Returns
    -------
    float
        From -1 to 1; NaN for fewer than three positions, or where either side does not vary.
    """
    both = ~np.isnan(x) & ~np.isnan(y)
    x_ranks, y_ranks = average_ranks(x[both]), average_ranks(y[both])
    varies = both.sum() > 2 and np.ptp(x_ranks) > 0 and np.ptp(y_ranks) > 0
    return float(np.corrcoef(x_ranks, y_ranks)[0, 1]) if varies else float("nan")


def mean_spearman(scores: Reals) -> float | None:
    """The mean of Spearman's correlation over the pairs of raters that have one.

    Parameters
    ----------
    scores : ndarray
        Shape ``(n_raters, n_candidates)``; NaN is a hole.

    Returns
    -------
    float or None
        None where no pair has one.
    """
    first, second = np.triu_indices(len(scores), k=1)
    values = np.array([spearman(scores[a], scores[b]) for a, b in zip(first, second, strict=True)])
    known = values[~np.isnan(values)]
    return float(known.mean()) if known.size else None
