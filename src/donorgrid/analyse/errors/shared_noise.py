"""The part of the item error that cells have in common: what looks like an effect of a target, a source or a model.

All cells of a target answer the same items against the same baseline: their mean moves with the luck of those items,
and a mixed model takes that for an effect of the target.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from donorgrid.analyse.errors.item_contributions import item_contributions
from donorgrid.analyse.reading.cell_sets import cell_regimes, columns_of, rows_of
from donorgrid.analyse.reading.paired_differences import ArmDifferences
from donorgrid.core.arrays import Flags, Reals
from donorgrid.core.regimes import REGIMES, TRANSFER, TRANSFER_REGIMES
from donorgrid.statistics.errors.clusters import clustered_se, mean_covariance
from donorgrid.statistics.errors.shared_noise import SharedNoise, split_noise

_Cells = tuple[ArmDifferences, Flags]
"""One model's differences, and which of its cells take part."""


def shared_noise(differences: Sequence[ArmDifferences]) -> dict[str, SharedNoise]:
    """The noise that the cells of each regime share, and of ``transfer``.

    Parameters
    ----------
    differences : sequence of ArmDifferences
        One per model that has item answers.

    Returns
    -------
    dict of str to SharedNoise
        Empty without answers, or where models have other items.
    """
    sizes = {tuple(sorted(paired.n_clusters.items())) for paired in differences}
    if len(sizes) != 1:
        return {}
    sets = {name: (name,) for name in REGIMES} | {TRANSFER: TRANSFER_REGIMES}
    of_sets = {name: _of_regimes(differences, regimes) for name, regimes in sets.items()}
    return {name: noise for name, noise in of_sets.items() if noise is not None}


def _of_regimes(differences: Sequence[ArmDifferences], regimes: Sequence[str]) -> SharedNoise | None:
    inside = [np.isin(cell_regimes(paired), regimes) & (paired.n_answered > 0) for paired in differences]
    cells = [(paired, mask) for paired, mask in zip(differences, inside, strict=True) if mask.any()]
    if not cells:
        return None
    of_models = np.concatenate([item_contributions(paired, {"all": mask}).centred for paired, mask in cells])
    n_cells = sum(int(mask.sum()) for _, mask in cells)
    factors = {name: levels for name, levels in _levels(cells, of_models).items() if 1 < len(levels) < n_cells}
    mean = of_models.mean(axis=0)
    of_means = {name: float(np.mean(_variances(levels - mean))) for name, levels in factors.items()}
    of_all = float(_variances(mean[None])[0])
    n_levels = {name: len(levels) for name, levels in factors.items()}
    noise = split_noise(_cell_variance(cells), of_all, of_means, n_levels, n_cells)
    return replace(noise, of_means=_of_regime_means(differences, regimes))


def _of_regime_means(differences: Sequence[ArmDifferences], regimes: Sequence[str]) -> Reals:
    """Covariance of the means of the regimes that have cells, from the items' parts over all models' cells."""
    parts: dict[str, Reals] = {}
    n_cells: dict[str, int] = {}
    for paired in differences:
        named = np.where(paired.n_answered > 0, cell_regimes(paired), "")
        of_model = item_contributions(paired, {name: named == name for name in regimes})
        for name, centred in zip(of_model.names, of_model.centred, strict=True):
            size = int((named == name).sum())
            parts[name] = parts.get(name, 0.0) + size * centred
            n_cells[name] = n_cells.get(name, 0) + size
    return mean_covariance(np.stack([parts[name] / n_cells[name] for name in regimes if name in parts]))


def _levels(cells: Sequence[_Cells], of_models: Reals) -> dict[str, Reals]:
    """Factor -> parts of its levels' means, (levels, clusters). Where every source has one target, they are one."""
    factors = {"model": of_models, "source": _level_means(cells, lambda paired: rows_of(paired.source_names))}
    if any(mask.sum(axis=1).max() > 1 or mask.sum(axis=0).max() > 1 for _, mask in cells):
        factors["target"] = _level_means(cells, lambda paired: columns_of(paired.target_names))
    return factors


def _level_means(cells: Sequence[_Cells], levels: Callable[[ArmDifferences], dict[str, Flags]]) -> Reals:
    """(levels, clusters): the items' parts of each level's mean, averaged over the models that have the level."""
    of_level: dict[str, list[Reals]] = {}
    for paired, mask in cells:
        of_model = item_contributions(paired, {name: mask & level for name, level in levels(paired).items()})
        for name, row in zip(of_model.names, of_model.centred, strict=True):
            of_level.setdefault(name, []).append(row)
    return np.stack([np.mean(rows, axis=0) for rows in of_level.values()])


def _cell_variance(cells: Sequence[_Cells]) -> float:
    """The mean squared item error (pp^2) of the cells."""
    variances = []
    for paired, mask in cells:
        delta = np.nan_to_num(paired.delta_pp) / 100.0
        centred = paired.summed - paired.answered * delta[:, paired.target_of_item]
        squares = np.add.reduceat(centred * centred, paired.starts, axis=1)
        n = np.add.reduceat(paired.answered > 0, paired.starts, axis=1, dtype=np.int64)
        variance = 1e4 * squares / np.maximum(paired.n_answered, 1.0) ** 2 * n / np.maximum(n - 1, 1)
        variances.append(variance[mask])
    return float(np.mean(np.concatenate(variances)))


def _variances(centred: Reals) -> Reals:
    return np.nan_to_num(clustered_se(centred) ** 2)
