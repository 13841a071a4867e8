"""Clustered standard errors: items that share something (an ID, a passage) count as one draw."""

import numpy as np

from donorgrid.core.arrays import Ints, Reals


def clustered_se(centred: Reals) -> Reals:
    """Standard errors of means, from what each cluster adds to them.

    se = sqrt(C / (C - 1) sum_c u_c^2), over the C clusters that add anything (Liang & Zeger 1986, Biometrika 73, with
    the small-sample factor).

    Parameters
    ----------
    centred : ndarray
        Contributions of the clusters to each mean, less their expectation, shape ``(n_means, n_clusters)``.

    Returns
    -------
    ndarray
        Shape ``(n_means,)``, in the units of the contributions; NaN for fewer than two clusters.
    """
    used = (centred != 0).sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(used > 1, np.sqrt(used / (used - 1.0) * (centred**2).sum(axis=1)), np.nan)


def delta_se_pp(difference: Ints, answers: Ints, starts: Ints) -> Reals:
    """Standard errors of deltas, clustered on the item over its answers (one per seed).

    With u_i the sum of item i's differences less as many times their mean, N answers and n items,
    se = 100 sqrt(n / (n - 1) sum u_i^2) / N.

    Parameters
    ----------
    difference : ndarray of int
        Sum of each item's differences over its answers, shape ``(n_items,)``.
    answers : ndarray of int
        Answers of each item, shape ``(n_items,)``.
    starts : ndarray of int
        Index of each target's first item, shape ``(n_targets,)``, increasing.

    Returns
    -------
    ndarray
        Percentage points, shape ``(n_targets,)``; NaN for fewer than two answered items.
    """
    n_answers = np.add.reduceat(answers, starts)
    mean = np.add.reduceat(difference, starts) / np.maximum(n_answers, 1)
    lengths = np.diff(np.append(starts, len(difference)))
    centred = difference - answers * np.repeat(mean, lengths)
    clusters = np.add.reduceat(answers > 0, starts, dtype=np.int64)
    squares = np.add.reduceat(centred * centred, starts)
    with np.errstate(invalid="ignore", divide="ignore"):
        se_pp = 100.0 * np.sqrt(clusters / (clusters - 1.0) * squares) / n_answers
    return np.where(clusters > 1, se_pp, np.nan)


def mean_covariance(centred: Reals) -> Reals:
    """Covariance of means, from what each cluster adds to them.

    Parameters
    ----------
    centred : ndarray
        Contributions of the clusters to each mean, less their expectation, shape ``(n_means, n_clusters)``.

    Returns
    -------
    ndarray
        Shape ``(n_means, n_means)``: C / (C - 1) U U', over the C clusters that add anything.
    """
    used = int((centred != 0).any(axis=0).sum())
    return np.asarray(centred @ centred.T * used / max(used - 1, 1))


def design_effect(change: Ints, clusters: Ints) -> float:
    """Variance of a mean by clusters over its variance by items, at least 1.

    Parameters
    ----------
    change : ndarray of int
        Difference of each item (-1, 0 or 1), shape ``(n_items,)``.
    clusters : ndarray of int
        Index of each item's cluster, shape ``(n_items,)``.

    Returns
    -------
    float
        1 where every item is its own cluster, there is one cluster, or nothing differs.

    References
    ----------
    Kish 1965, Survey Sampling, section 5.4.
    """
    centred = change - change.mean()
    by_items = float((centred**2).sum())
    sums = np.bincount(clusters, weights=centred)
    if sums.size in (1, change.size) or by_items == 0.0:
        return 1.0
    by_clusters = float((sums**2).sum()) * sums.size / (sums.size - 1)
    return max(1.0, by_clusters / by_items)
