"""Error control over many tests: Benjamini-Hochberg, Benjamini-Yekutieli, and sign flips with the maximum statistic."""

import numpy as np
import numpy.typing as npt

Reals = npt.NDArray[np.float64]


def false_discovery_adjusted(p_values: Reals, *, any_dependence: bool = False) -> Reals:
    """Adjusted p-values (n,): reject those at most q to hold the false discovery rate at q. NaN stays NaN.

    Benjamini & Hochberg (1995), valid under independence and positive regression dependence; with ``any_dependence``
    Benjamini & Yekutieli (2001), which pays the factor sum 1/i and needs no assumption.
    """
    adjusted = np.full(p_values.shape, np.nan)
    known = np.flatnonzero(~np.isnan(p_values))
    if not known.size:
        return adjusted
    order = known[np.argsort(p_values[known], kind="stable")]
    ranks = np.arange(1, order.size + 1)
    factor = float((1.0 / ranks).sum()) if any_dependence else 1.0
    raw = p_values[order] * order.size * factor / ranks
    adjusted[order] = np.minimum(np.minimum.accumulate(raw[::-1])[::-1], 1.0)
    return adjusted


def flipped_maxima(differences: list[npt.NDArray[np.float32]], signs: list[npt.NDArray[np.float32]]) -> Reals:
    """The largest and the smallest standardised sum over all cells under each sign flip: (2, draws).

    ``differences[k]`` (cells, items) are paired differences of block k and ``signs[k]`` (items, draws) random +-1, the
    same for all cells that share an item. The statistic of a cell is sum d / sqrt(sum d^2); cells without any
    difference take no part.
    """
    n_draws = signs[0].shape[1]
    largest, smallest = np.full(n_draws, -np.inf), np.full(n_draws, np.inf)
    for block, flips in zip(differences, signs, strict=True):
        scale = np.sqrt((block.astype(np.float64) ** 2).sum(axis=1))
        moved = scale > 0
        if moved.any():
            statistics = (block[moved] @ flips) / scale[moved, None]
            largest = np.maximum(largest, statistics.max(axis=0))
            smallest = np.minimum(smallest, statistics.min(axis=0))
    return np.stack([largest, smallest])


def max_t_adjusted(statistics: Reals, extremes: Reals) -> Reals:
    """P-values (n,) adjusted for all cells: (1 + draws whose extreme is at least as large) / (1 + draws).

    Westfall & Young (1993): holds the family-wise error rate under the dependence that the flips keep.
    """
    ordered = np.sort(extremes)
    at_least = ordered.size - np.searchsorted(ordered, statistics - 1e-9, side="left")
    return np.where(np.isnan(statistics), np.nan, (1.0 + at_least) / (1.0 + ordered.size))
