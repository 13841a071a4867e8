"""How much of what looks like an effect of a target, a source or a model is noise that all its cells share.

All cells of a target answer the same items against the same baseline: their mean moves with the luck of those items,
and a mixed model takes that for an effect of the target.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from donorgrid.analyse.errors.item_sums import Mask, cell_regimes, clustered_se, item_sums
from donorgrid.analyse.errors.paired_differences import ArmDifferences
from donorgrid.analyse.tables.regimes import TRANSFER
from donorgrid.core.regimes import REGIMES, TRANSFER_REGIMES

Reals = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class SharedNoise:
    """Squared pp of item noise: ``common`` to all cells, and ``of_factor`` (model, source, target) to those of a level.

    A cell's error is n_0 + sum_f n_f + e. With g^2 the variance of the mean of all K cells, V_f that of a level's mean
    less the mean of all (L_f levels), s^2 that of a cell,

        var e = (s^2 - g^2 - sum_f V_f) / (1 - 1 / K - sum_f (L_f - 1) / K)
        var n_f = (V_f L_f / (L_f - 1)) - var e L_f / K,  var n_0 = g^2 - sum_f var n_f / L_f - var e / K

    each at least zero. ``of_means`` (regimes, regimes): the covariance of the regimes' means.
    """

    common: float = 0.0
    of_factor: Mapping[str, float] = field(default_factory=dict)
    of_means: Reals | None = None


NONE = SharedNoise()
LEAST_APART = 0.1
"""Where levels have so few cells that their means hardly differ from cells, the split is not taken further."""


def shared_noise(own: Sequence[ArmDifferences]) -> dict[str, SharedNoise]:
    """Regime (or ``transfer``) -> its shared noise. Empty without answers, or where models have other items."""
    sizes = {tuple(sorted(made.n_clusters.items())) for made in own}
    if len(sizes) != 1:
        return {}
    sets = {name: (name,) for name in REGIMES} | {TRANSFER: TRANSFER_REGIMES}
    found = {name: _of_regimes(own, regimes) for name, regimes in sets.items()}
    return {name: one for name, one in found.items() if one is not None}


def _of_regimes(own: Sequence[ArmDifferences], regimes: Sequence[str]) -> SharedNoise | None:
    inside = [np.isin(cell_regimes(made), regimes) & (made.n_answered > 0) for made in own]
    having = [(made, mask) for made, mask in zip(own, inside, strict=True) if mask.any()]
    if not having:
        return None
    of_models = np.concatenate([item_sums(made, {"all": mask}).centred for made, mask in having])
    n_cells = sum(int(mask.sum()) for _, mask in having)
    factors = {name: parts for name, parts in _levels(having, of_models).items() if 1 < len(parts) < n_cells}
    mean = of_models.mean(axis=0)
    of_means = {name: float(np.mean(_variances(parts - mean))) for name, parts in factors.items()}
    of_all = float(_variances(mean[None])[0])
    n_levels = {name: len(parts) for name, parts in factors.items()}
    parts = split_noise(_cell_variance(having), of_all, of_means, n_levels, n_cells)
    return replace(parts, of_means=_of_regime_means(own, regimes))


def _of_regime_means(own: Sequence[ArmDifferences], regimes: Sequence[str]) -> Reals:
    """(regimes, regimes), of those that have cells: from the items' parts of each mean over all models' cells."""
    parts: dict[str, Reals] = {}
    n_cells: dict[str, int] = {}
    for made in own:
        named = np.where(made.n_answered > 0, cell_regimes(made), "")
        found = item_sums(made, {name: named == name for name in regimes})
        for name, centred in zip(found.names, found.centred, strict=True):
            size = int((named == name).sum())
            parts[name] = parts.get(name, 0.0) + size * centred
            n_cells[name] = n_cells.get(name, 0) + size
    means = np.stack([parts[name] / n_cells[name] for name in regimes if name in parts])
    used = int((means != 0).any(axis=0).sum())
    return np.asarray(means @ means.T * used / max(used - 1, 1))


def _levels(having: Sequence[tuple[ArmDifferences, Mask]], of_models: Reals) -> dict[str, Reals]:
    """Factor -> (levels, clusters). Where every source has one target of its own, the two are one factor."""
    factors = {"model": of_models, "source": _level_means(having, lambda made, mask: _rows(made.source_names, mask))}
    if any(mask.sum(axis=1).max() > 1 or mask.sum(axis=0).max() > 1 for _, mask in having):
        factors["target"] = _level_means(having, lambda made, mask: _columns(_target_names(made), mask))
    return factors


def split_noise(
    cell: float, of_all: float, of_means: Mapping[str, float], n_levels: Mapping[str, int], n_cells: int
) -> SharedNoise:
    """The parts from the variances of a cell (s^2), of the mean of all (g^2) and of levels' means (V_f)."""
    used = 1.0 / n_cells + sum((n - 1) / n_cells for n in n_levels.values())
    alone = (cell - of_all - sum(of_means.values())) / max(1.0 - used, LEAST_APART)
    alone = min(max(alone, 0.0), cell)
    of_factor = {
        name: max(0.0, one * n_levels[name] / (n_levels[name] - 1) - alone * n_levels[name] / n_cells)
        for name, one in of_means.items()
    }
    common = of_all - sum(part / n_levels[name] for name, part in of_factor.items()) - alone / n_cells
    return SharedNoise(common=max(0.0, common), of_factor=of_factor)


def _cell_variance(having: Sequence[tuple[ArmDifferences, Mask]]) -> float:
    """The mean squared item error (pp^2) of the cells."""
    found = []
    for made, mask in having:
        delta = np.nan_to_num(made.delta_pp) / 100.0
        lengths = np.diff(np.append(made.starts, made.summed.shape[1]))
        centred = made.summed - made.answered * np.repeat(delta, lengths, axis=1)
        squares = np.add.reduceat(centred * centred, made.starts, axis=1)
        n = np.add.reduceat(made.answered > 0, made.starts, axis=1, dtype=np.int64)
        variance = 1e4 * squares / np.maximum(made.n_answered, 1.0) ** 2 * n / np.maximum(n - 1, 1)
        found.append(variance[mask])
    return float(np.mean(np.concatenate(found)))


def _variances(centred: Reals) -> Reals:
    return np.nan_to_num(clustered_se(centred) ** 2)


def _level_means(
    having: Sequence[tuple[ArmDifferences, Mask]], sets: Callable[[ArmDifferences, Mask], dict[str, Mask]]
) -> Reals:
    """(levels, clusters): the items' parts of each level's mean, averaged over the models that have the level."""
    of_level: dict[str, list[Reals]] = {}
    for made, mask in having:
        found = item_sums(made, sets(made, mask))
        for name, row in zip(found.names, found.centred, strict=True):
            of_level.setdefault(name, []).append(row)
    return np.stack([np.mean(rows, axis=0) for rows in of_level.values()])


def _target_names(made: ArmDifferences) -> list[str]:
    return [f"{task}/{language}" for task, language in zip(made.target_tasks, made.target_languages, strict=True)]


def _rows(names: Sequence[str], mask: Mask) -> dict[str, Mask]:
    own = np.array(names)
    return {name: mask & (own == name)[:, None] for name in names}


def _columns(names: Sequence[str], mask: Mask) -> dict[str, Mask]:
    own = np.array(names)
    return {name: mask & (own == name) for name in names}
