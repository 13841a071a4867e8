"""Error control over many tests: Holm, Benjamini-Hochberg, Benjamini-Yekutieli, and sign flips with the maximum."""

import numpy as np

from donorgrid.core.arrays import Reals, Singles


def holm_adjusted(p_values: Reals) -> Reals:
    """P-values adjusted so that rejecting those at most a holds the family-wise error rate at a.

    The k-th smallest of n is multiplied by n - k + 1; no adjusted value is below the one of a smaller p-value.

    Parameters
    ----------
    p_values : ndarray
        Shape ``(n,)``, without NaN.

    Returns
    -------
    ndarray
        Shape ``(n,)``, at most 1.

    References
    ----------
    Holm 1979, Scand. J. Stat. 6, 65-70.
    """
    order = np.argsort(p_values, kind="stable")
    adjusted = np.empty_like(p_values)
    stepped = p_values[order] * (len(p_values) - np.arange(len(p_values)))
    adjusted[order] = np.minimum(1.0, np.maximum.accumulate(stepped))
    return adjusted


def false_discovery_adjusted(p_values: Reals, *, any_dependence: bool = False) -> Reals:
    """P-values adjusted so that rejecting those at most q holds the false discovery rate at q.

    Parameters
    ----------
    p_values : ndarray
        Shape ``(n,)``; NaN marks what is not tested and stays NaN.
    any_dependence : bool
        False: Benjamini & Hochberg (1995), valid under independence and positive regression dependence. True:
        Benjamini & Yekutieli (2001), which multiplies by sum 1/i and needs no assumption.

    Returns
    -------
    ndarray
        Shape ``(n,)``, at most 1.
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


def standardised_sums(differences: Singles) -> Reals:
    """The statistic of a sign-flip test: sum d / sqrt(sum d^2) of each cell.

    Parameters
    ----------
    differences : ndarray of float32
        Paired differences, shape ``(n_cells, n_items)``.

    Returns
    -------
    ndarray
        Shape ``(n_cells,)``; NaN where nothing differs.
    """
    scale = np.sqrt((differences.astype(np.float64) ** 2).sum(axis=1))
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(scale > 0, differences.sum(axis=1) / scale, np.nan)


def flipped_maxima(differences: list[Singles], signs: list[Singles]) -> Reals:
    """The largest and the smallest standardised sum over all cells under each sign flip.

    Parameters
    ----------
    differences : list of ndarray
        Paired differences of each block of cells, shape ``(n_cells, n_items)``.
    signs : list of ndarray
        Random signs of each block, +1 or -1, shape ``(n_items, n_draws)``; the same for all cells that share an item.

    Returns
    -------
    ndarray
        Largest and smallest, shape ``(2, n_draws)``. Cells without any difference take no part.
    """
    n_draws = signs[0].shape[1]
    largest, smallest = np.full(n_draws, -np.inf), np.full(n_draws, np.inf)
    for block, flips in zip(differences, signs, strict=True):
        scale = np.sqrt((block.astype(np.float64) ** 2).sum(axis=1))
        differs = scale > 0
        if differs.any():
            statistics = (block[differs] @ flips) / scale[differs, None]
            largest = np.maximum(largest, statistics.max(axis=0))
            smallest = np.minimum(smallest, statistics.min(axis=0))
    return np.stack([largest, smallest])


def max_t_adjusted(statistics: Reals, extremes: Reals) -> Reals:
    """P-values adjusted for all cells: (1 + draws whose extreme is at least as large) / (1 + draws).

    Holds the family-wise error rate under the dependence that the draws keep.

    Parameters
    ----------
    statistics : ndarray
        Statistic of each cell, large against the hypothesis, shape ``(n,)``; NaN stays NaN.
    extremes : ndarray
        The largest statistic of each draw, shape ``(n_draws,)``.

    Returns
    -------
    ndarray
        Shape ``(n,)``.

    References
    ----------
    Westfall & Young 1993, Resampling-Based Multiple Testing.
    """
    ordered = np.sort(extremes)
    at_least = ordered.size - np.searchsorted(ordered, statistics - 1e-9, side="left")
    return np.where(np.isnan(statistics), np.nan, (1.0 + at_least) / (1.0 + ordered.size))
