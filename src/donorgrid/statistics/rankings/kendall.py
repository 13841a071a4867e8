"""Kendall's tau-b between all pairs of raters at once, ties and holes included."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from donorgrid.core.arrays import Reals, Singles

_CHUNK = 100
"""Permutations that are ranked at once."""


def dense_ranks(scores: Reals, *, equal_within: float = 0.0) -> Singles:
    """Ranks 0, 1, 2, ... along the last axis.

    Parameters
    ----------
    scores : ndarray
        Shape ``(..., n)``; NaN is a hole and stays NaN.
    equal_within : float
        Neighbours that differ by at most this share a rank: round-off must not make false non-ties.

    Returns
    -------
    ndarray of float32
        Shape ``(..., n)``.
    """
    order = np.argsort(scores, axis=-1)
    ordered = np.take_along_axis(scores, order, axis=-1)
    higher = np.diff(ordered, axis=-1, prepend=ordered[..., :1]) > equal_within
    ranks = np.empty(scores.shape, dtype=np.float32)
    np.put_along_axis(ranks, order, np.cumsum(higher, axis=-1, dtype=np.float32), axis=-1)
    return np.where(np.isnan(scores), np.float32(np.nan), ranks)


def tau_b(scores: npt.NDArray[np.floating], *, least: int = 3) -> Reals:
    """Tau-b between all pairs of raters, over the items that both raters have.

    tau_b = sum s_a s_b / sqrt(sum s_a^2 sum s_b^2) over the pairs of items that both have, with s the sign of a rater's
    difference (Kendall 1945, Biometrika 33(3)). Sums of signs are exact integers.

    Parameters
    ----------
    scores : ndarray
        Scores or ranks, shape ``(..., n_raters, n_items)``; NaN is a hole.
    least : int
        Items that two raters must share.

    Returns
    -------
    ndarray
        Shape ``(..., n_raters, n_raters)``, from -1 to 1; NaN where fewer items are shared, and where a rater ties them
        all.
    """
    first, second = np.triu_indices(scores.shape[-1], k=1)
    signs = np.sign(scores[..., first] - scores[..., second]).astype(np.float32)
    holes = np.isnan(signs)
    known = (~holes).astype(np.float32)
    if holes.any():
        signs = np.where(holes, np.float32(0), signs)
    together = (signs @ np.swapaxes(signs, -1, -2)).astype(np.float64)
    untied = ((signs * signs) @ np.swapaxes(known, -1, -2)).astype(np.float64)
    scale = np.sqrt(untied * np.swapaxes(untied, -1, -2))
    present = (~np.isnan(scores)).astype(np.float64)
    defined = (present @ np.swapaxes(present, -1, -2) >= least) & (scale > 0)
    return np.where(defined, together / np.where(scale > 0, scale, 1.0), np.nan)


def mean_over_pairs(tau: Reals) -> Reals:
    """The mean of tau, shape ``(..., n_raters, n_raters)``, over pairs of raters; NaN where no pair has one."""
    first, second = np.triu_indices(tau.shape[-1], k=1)
    values = tau[..., first, second]
    defined = ~np.isnan(values)
    count = defined.sum(axis=-1)
    total = np.where(defined, values, 0.0).sum(axis=-1)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def shuffled(ranks: Singles, n_draws: int, rng: np.random.Generator) -> Singles:
    """Permute the ranks of each rater on their own, among the items that the rater has.

    Parameters
    ----------
    ranks : ndarray of float32
        Shape ``(n_raters, n_items)``; NaN is a hole.
    n_draws : int
        Permutations.
    rng : numpy.random.Generator
        Source of the permutations.

    Returns
    -------
    ndarray of float32
        Shape ``(n_draws, n_raters, n_items)``.
    """
    drawn = np.repeat(ranks[None], n_draws, axis=0)
    for rater, of_rater in enumerate(ranks):
        known = np.flatnonzero(~np.isnan(of_rater))
        drawn[:, rater, known] = rng.permuted(np.tile(of_rater[known], (n_draws, 1)), axis=1)
    return drawn


def permuted_medians(ranks: Sequence[Singles], n_draws: int, rng: np.random.Generator) -> Reals:
    """The median over sources of the mean tau, when every rater ranks items at random.

    Parameters
    ----------
    ranks : sequence of ndarray
        One per source, shape ``(n_raters, n_items)``.
    n_draws : int
        Permutations.
    rng : numpy.random.Generator
        Source of the permutations.

    Returns
    -------
    ndarray
        Shape ``(n_draws,)``.
    """
    medians = []
    for start in range(0, n_draws, _CHUNK):
        n_chunk = min(_CHUNK, n_draws - start)
        per_source = [mean_over_pairs(tau_b(shuffled(of_source, n_chunk, rng))) for of_source in ranks]
        medians.append(np.nanmedian(np.stack(per_source), axis=0))
    return np.concatenate(medians) if medians else np.empty(0)
