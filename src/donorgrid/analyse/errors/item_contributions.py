"""Means over sets of cells, taken apart into what each item contributes: clustered errors and halves come from here."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from donorgrid.analyse.reading.paired_differences import ArmDifferences
from donorgrid.core.arrays import Flags, Ints, Reals
from donorgrid.statistics.errors.clusters import clustered_se


@dataclass(frozen=True, kw_only=True)
class ItemContributions:
    """Sets of cells of one model and what each item adds to their means. A cluster is an item ID of a task.

    Attributes
    ----------
    names : tuple of str
        Sets of cells.
    means_pp : ndarray
        Mean delta of each set in percentage points, shape ``(n_sets,)``.
    parts : ndarray
        What each cluster adds to the means, shape ``(n_sets, n_clusters)``; a row adds up to its mean.
    centred : ndarray
        The parts less what the cluster would add if all items of its cells were alike; a row adds up to zero.
    """

    names: tuple[str, ...]
    means_pp: Reals
    parts: Reals
    centred: Reals

    @property
    def se_pp(self) -> Reals:
        """Standard errors clustered on item ID, shape ``(n_sets,)``."""
        return clustered_se(self.centred)


def item_contributions(paired: ArmDifferences, sets: Mapping[str, Flags]) -> ItemContributions:
    """Take the means over sets of cells apart.

    Parameters
    ----------
    paired : ArmDifferences
        Paired differences of one model.
    sets : mapping of str to ndarray of bool
        Name -> mask of cells, shape ``(n_sources, n_targets)``.

    Returns
    -------
    ItemContributions
        Without the sets in which no cell has answers.
    """
    cluster, n_clusters = _clusters(paired)
    answered = {name: mask & (paired.n_answered > 0) for name, mask in sets.items()}
    answered = {name: mask for name, mask in answered.items() if mask.any()}
    pairs = [_of_items(paired, mask) for mask in answered.values()]
    parts = [_by_cluster(cluster, of_items, n_clusters) for of_items, _ in pairs]
    centred = [_by_cluster(cluster, of_items - expected, n_clusters) for of_items, expected in pairs]
    shape = (len(answered), n_clusters)
    return ItemContributions(
        names=tuple(answered),
        means_pp=np.array([float(paired.delta_pp[mask].mean()) for mask in answered.values()]),
        parts=np.array(parts).reshape(shape),
        centred=np.array(centred).reshape(shape),
    )


def _of_items(paired: ArmDifferences, mask: Flags) -> tuple[Reals, Reals]:
    """What each item adds to the mean of the cells, and what it would add if all items of a cell were alike."""
    target = paired.target_of_item
    weight = np.where(mask, 1.0 / mask.sum(), 0.0) / np.maximum(paired.n_answered, 1.0)
    rows = mask.any(axis=1)
    of_items = np.einsum("si,si->i", weight[rows][:, target], 100.0 * paired.summed[rows])
    expected = np.einsum(
        "si,si->i",
        (weight * np.nan_to_num(paired.delta_pp))[rows][:, target],
        paired.answered[rows].astype(np.float64),
    )
    return of_items, expected


def _by_cluster(cluster: Ints, values: Reals, n_clusters: int) -> Reals:
    return np.bincount(cluster, weights=values, minlength=n_clusters).astype(np.float64, copy=False)


def _clusters(paired: ArmDifferences) -> tuple[Ints, int]:
    """The cluster of each item, shared by the languages of a task, and how many clusters there are."""
    offsets, total = {}, 0
    for task, size in paired.n_clusters.items():
        offsets[task] = total
        total += size
    start = np.array([offsets[task] for task in paired.target_tasks])
    return paired.clusters + start[paired.target_of_item], total
