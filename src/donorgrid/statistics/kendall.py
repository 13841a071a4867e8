"""Kendall's tau-b between all pairs of raters at once, ties and holes included."""

import numpy as np
import numpy.typing as npt

Reals = npt.NDArray[np.float64]
Ranks = npt.NDArray[np.float32]


def dense_ranks(scores: Reals, *, equal_within: float = 0.0) -> Ranks:
    """Ranks 0, 1, 2, ... of scores (..., n) along the last axis; NaN stays NaN.

    Neighbours that differ by at most ``equal_within`` share a rank: round-off must not make false non-ties.
    """
    order = np.argsort(scores, axis=-1)
    ordered = np.take_along_axis(scores, order, axis=-1)
    higher = np.diff(ordered, axis=-1, prepend=ordered[..., :1]) > equal_within
    ranks = np.empty(scores.shape, dtype=np.float32)
    np.put_along_axis(ranks, order, np.cumsum(higher, axis=-1, dtype=np.float32), axis=-1)
    return np.where(np.isnan(scores), np.float32(np.nan), ranks)


def tau_b(scores: npt.NDArray[np.floating], *, least: int = 3) -> Reals:
    """Tau-b (..., raters, raters) of scores or ranks (..., raters, n) over the items that both raters have.

    tau_b = sum s_a s_b / sqrt(sum s_a^2 sum s_b^2) over the pairs of items that both have, with s the sign of a rater's
    difference (Kendall 1945, Biometrika 33(3)). Sums of signs are exact integers. NaN where fewer than ``least`` items
    are shared, and where a rater ties them all.
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
    """(...) the mean of tau (..., raters, raters) over the pairs a < b where it is defined; NaN where none is."""
    first, second = np.triu_indices(tau.shape[-1], k=1)
    values = tau[..., first, second]
    defined = ~np.isnan(values)
    count = defined.sum(axis=-1)
    total = np.where(defined, values, 0.0).sum(axis=-1)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def shuffled(ranks: Ranks, n_draws: int, rng: np.random.Generator) -> Ranks:
    """(draws, raters, n): each rater's ranks permuted on their own among the items that the rater has."""
    drawn = np.repeat(ranks[None], n_draws, axis=0)
    for rater, own in enumerate(ranks):
        have = np.flatnonzero(~np.isnan(own))
        drawn[:, rater, have] = rng.permuted(np.tile(own[have], (n_draws, 1)), axis=1)
    return drawn
