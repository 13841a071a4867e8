"""The variance between training runs, told apart from what the items give, and the noise that a next study plans with.

Each formula inverts one of ``statistics/power.py``.
"""

import numpy as np

from donorgrid.core.arrays import Reals


def excess_run_variance(between: Reals, single: Reals, pooled: Reals, n_seeds: Reals) -> Reals:
    """The variance between runs beyond what items explain: v_runs - S / (S - 1) (v_single - v_pooled).

    Independent flips of items alone would spread the seeds by the second term. Single cells may be negative; a mean
    over cells is cut off at zero by the caller.

    Parameters
    ----------
    between : ndarray
        Variance of the deltas between the S seeds of each cell (ddof 1), squared pp, shape ``(n_cells,)``.
    single : ndarray
        Mean squared item error of one seed, squared pp, shape ``(n_cells,)``.
    pooled : ndarray
        Squared item error of the mean over seeds, squared pp, shape ``(n_cells,)``.
    n_seeds : ndarray
        Seeds of each cell (S), above 1, shape ``(n_cells,)``.

    Returns
    -------
    ndarray
        Squared pp, shape ``(n_cells,)``.
    """
    return between - n_seeds / (n_seeds - 1) * (single - pooled)


def flip_rate(delta: Reals, se: Reals, n_items: Reals) -> float:
    """The share of items whose answer changes: the mean of sum d^2 / n over cells.

    Parameters
    ----------
    delta, se : ndarray
        Deltas of single seeds and their item errors, as shares, shape ``(n_cells,)``; NaN where unknown.
    n_items : ndarray
        Items of each cell, shape ``(n_cells,)``.

    Returns
    -------
    float
        From 0 to 1.
    """
    squares = se**2 * np.maximum(n_items - 1.0, 0.0) + delta**2
    return float(np.clip(np.nanmean(squares), 0.0, 1.0))


def seed_correlation(single: float, pooled: float, n_seeds: float) -> float | None:
    """The correlation r of an item's differences between seeds, from v_S = v_1 (r + (1 - r) / S).

    Parameters
    ----------
    single, pooled : float
        Mean item variance of one seed (v_1) and of the mean over seeds (v_S), in one unit.
    n_seeds : float
        Mean number of seeds (S), above 1.

    Returns
    -------
    float or None
        From 0 to 1; None where nothing varies.
    """
    if single <= 0:
        return None
    return float(np.clip((n_seeds * pooled / single - 1.0) / (n_seeds - 1.0), 0.0, 1.0))


def cell_correlation(mean: float, cell: float, *, n_cells: int, n_models: int, n_blocks: int) -> float | None:
    """The correlation c of an item's differences between cells, from V = v / (K M) (1 + (K / B - 1) c).

    Parameters
    ----------
    mean, cell : float
        Item variance of the mean over all cells (V) and mean item variance of a cell (v), in one unit.
    n_cells, n_models, n_blocks : int
        All cells (K M), models (M), and blocks of a model's cells that share their items (B).

    Returns
    -------
    float or None
        From 0 to 1; None where no cells share their items, or nothing varies.
    """
    per_model = n_cells / n_models
    if per_model <= n_blocks or cell <= 0:
        return None
    effect = mean * n_cells / cell
    return float(np.clip((effect - 1.0) / (per_model / n_blocks - 1.0), 0.0, 1.0))


def model_sd(over_models: float, from_items: float, n_models: int) -> float:
    """The spread between models that items do not explain: sqrt(M (v_models - v_items)), at least zero.

    Parameters
    ----------
    over_models, from_items : float
        Variance of the mean over models, and what the items give of it, squared pp.
    n_models : int
        Models (M).

    Returns
    -------
    float
        Percentage points.
    """
    return float(np.sqrt(max(0.0, over_models - from_items) * n_models))
