"""Means over sets of cells, taken apart into what each item contributes: clustered errors and halves come from here."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from donorgrid.analyse.errors.paired_differences import ArmDifferences
from donorgrid.core.regimes import TRAINED_CELL, TRANSFER_REGIMES, regime

Reals = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True)
class ItemSums:
    """Sets of cells of one model: their names (k,), means (k,) in pp, and the items' parts of them.

    ``parts`` (k, clusters) sum to the means; ``centred`` (k, clusters) are the parts less what the item would give if
    all items of its cell were alike, so that they sum to zero. A cluster is an item ID of a task.
    """

    names: tuple[str, ...]
    means_pp: Reals
    parts: Reals
    centred: Reals

    @property
    def se_pp(self) -> Reals:
        """(k,) standard errors clustered on item ID: sqrt(C / (C - 1) sum_c u_c^2)."""
        return clustered_se(self.centred)


def clustered_se(centred: Reals) -> Reals:
    """(k,) errors from centred cluster sums (k, clusters) (Liang & Zeger 1986, with the small-sample factor)."""
    used = (centred != 0).sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(used > 1, np.sqrt(used / (used - 1.0) * (centred**2).sum(axis=1)), np.nan)


def cell_regimes(made: ArmDifferences) -> npt.NDArray[np.str_]:
    """(sources, targets): the regime of each cell."""
    named = regime(
        made.source_tasks[:, None],
        made.source_languages[:, None],
        np.array(made.target_tasks, dtype=object),
        np.array(made.target_languages, dtype=object),
    )
    return np.asarray(named)


def item_sums(made: ArmDifferences, sets: Mapping[str, Mask]) -> ItemSums:
    """Take the means over ``sets`` of cells, masks (sources, targets), apart. Cells without answers do not count."""
    delta, n_answered = made.delta_pp, made.n_answered
    lengths = np.diff(np.append(made.starts, made.summed.shape[1]))
    target_of_item = np.repeat(np.arange(len(lengths)), lengths)
    cluster, n_clusters = _clusters(made, target_of_item)
    names: list[str] = []
    means: list[float] = []
    parts: list[Reals] = []
    centred: list[Reals] = []
    for name, mask in sets.items():
        used = mask & (n_answered > 0)
        if not used.any():
            continue
        weight = np.where(used, 1.0 / used.sum(), 0.0) / np.maximum(n_answered, 1.0)
        rows = used.any(axis=1)
        of_items = np.einsum("si,si->i", weight[rows][:, target_of_item], 100.0 * made.summed[rows])
        expected = np.einsum(
            "si,si->i", (weight * np.nan_to_num(delta))[rows][:, target_of_item], made.answered[rows].astype(np.float64)
        )
        names.append(name)
        means.append(float(delta[used].mean()))
        parts.append(_summed(cluster, of_items, n_clusters))
        centred.append(_summed(cluster, of_items - expected, n_clusters))
    shape = (len(names), n_clusters)
    return ItemSums(
        names=tuple(names),
        means_pp=np.array(means),
        parts=np.array(parts).reshape(shape),
        centred=np.array(centred).reshape(shape),
    )


def _summed(cluster: npt.NDArray[np.int64], values: Reals, n_clusters: int) -> Reals:
    return np.bincount(cluster, weights=values, minlength=n_clusters).astype(np.float64, copy=False)


def _clusters(made: ArmDifferences, target_of_item: npt.NDArray[np.int_]) -> tuple[npt.NDArray[np.int64], int]:
    """A number per item, shared by the languages of a task, and how many there are."""
    offsets, total = {}, 0
    for task, size in made.n_clusters.items():
        offsets[task] = total
        total += size
    start = np.array([offsets[task] for task in made.target_tasks])
    return made.clusters + start[target_of_item], total


def over_models_se(found: Sequence[ItemSums], name: str) -> float | None:
    """The clustered error of the mean over the models that have the set; items count as shared where models agree."""
    rows = [one.centred[one.names.index(name)] for one in found if name in one.names]
    if not rows:
        return None
    if len({row.size for row in rows}) == 1:
        se = float(clustered_se((np.sum(rows, axis=0) / len(rows))[None])[0])
    else:
        se = float(np.sqrt(np.sum([clustered_se(row[None])[0] ** 2 for row in rows])) / len(rows))
    return se if np.isfinite(se) else None


def _by(values: Sequence[str], mask: Callable[[str], Mask]) -> dict[str, Mask]:
    return {value: mask(value) for value in sorted(set(values))}


def regime_sets(made: ArmDifferences) -> dict[str, Mask]:
    """Each regime, and ``transfer``."""
    named = cell_regimes(made)
    return {name: named == name for name in (TRAINED_CELL, *TRANSFER_REGIMES)} | {"transfer": named != TRAINED_CELL}


def source_sets(made: ArmDifferences) -> dict[str, Mask]:
    """The transfer cells of each source, by its name ``task/language``."""
    transfer = cell_regimes(made) != TRAINED_CELL
    names = np.array(made.source_names)
    return {name: transfer & (names == name)[:, None] for name in made.source_names}


def donor_sets(made: ArmDifferences, axis: str) -> dict[str, Mask]:
    """The donor cells of each language (MT-CL) or task (CT-ML)."""
    named = cell_regimes(made)
    own = made.source_languages if axis == "language" else made.source_tasks
    inside = named == ("MT-CL" if axis == "language" else "CT-ML")
    return _by(own.tolist(), lambda value: inside & (own == value)[:, None])


def recipient_sets(made: ArmDifferences, axis: str) -> dict[str, Mask]:
    """The recipient cells of each language (MT-CL) or task (CT-ML)."""
    named = cell_regimes(made)
    own = np.array(made.target_languages if axis == "language" else made.target_tasks, dtype=object)
    inside = named == ("MT-CL" if axis == "language" else "CT-ML")
    return _by(own.tolist(), lambda value: inside & (own == value))
