"""How much of what looks like an effect of a target, a source or a model is noise that all its cells share.

All cells of a target answer the same items against the same baseline: their mean moves with the luck of those items,
and a mixed model takes that for an effect of the target.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from donorgrid.analyse.differences import ArmDifferences
from donorgrid.analyse.item_sums import Mask, cell_regimes, clustered_se, item_sums
from donorgrid.core.regimes import REGIMES

Reals = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class SharedNoise:
    """Squared pp of item noise: ``mean_variance`` in the mean of all cells, ``of_factor`` in what a level shares.

    ``of_factor`` (model, source, target) is of a level's mean less the mean of all cells, averaged over levels, without
    what is left of the noise of single cells: with V the variance of such means of K cells and s^2 a cell's whole
    noise, the cells' own noise e^2 solves mean + sum (V - e^2 / K) + e^2 = s^2, and a factor's part is V - e^2 / K.
    """

    mean_variance: float = 0.0
    of_factor: Mapping[str, float] = field(default_factory=dict)

    def kept(self, name: str, variance: float) -> float:
        """The share of a factor's fitted ``variance`` that is not noise: 1 - noise / variance, at least 0."""
        noise = self.of_factor.get(name, 0.0)
        return max(0.0, variance - noise) / variance if variance > 0 else 1.0

    @property
    def total(self) -> float:
        """All of it, in squared pp: what the residual of a crossed fit does not hold of a cell's noise."""
        return self.mean_variance + sum(self.of_factor.values())


NONE = SharedNoise()
LEAST_APART = 0.1
"""Where levels have so few cells that their means hardly differ from cells, the split is not taken further."""


def shared_noise(own: Sequence[ArmDifferences]) -> dict[str, SharedNoise]:
    """Regime -> its shared noise; empty where models have other items than one another, or there are no answers."""
    sizes = {tuple(sorted(made.n_clusters.items())) for made in own}
    if len(sizes) != 1:
        return {}
    found = {name: _of_regime(own, name) for name in REGIMES}
    return {name: one for name, one in found.items() if one is not None}


def _of_regime(own: Sequence[ArmDifferences], regime: str) -> SharedNoise | None:
    inside = [(cell_regimes(made) == regime) & (made.n_answered > 0) for made in own]
    having = [(made, mask) for made, mask in zip(own, inside, strict=True) if mask.any()]
    if not having:
        return None
    of_models = np.concatenate([item_sums(made, {"all": mask}).centred for made, mask in having])
    mean = of_models.mean(axis=0)
    factors = {
        "source": _level_means(having, lambda made, mask: _rows(made.source_names, mask)),
        "target": _level_means(having, lambda made, mask: _columns(_target_names(made), mask)),
        "model": of_models,
    }
    of_means = {name: float(np.mean(_variances(parts - mean))) for name, parts in factors.items() if len(parts) > 1}
    n_cells = sum(int(mask.sum()) for _, mask in having)
    shares = {name: len(factors[name]) / n_cells for name in of_means}
    whole, of_all = _cell_variance(having), float(_variances(mean[None])[0])
    alone = (whole - of_all - sum(of_means.values())) / max(1.0 - sum(shares.values()), LEAST_APART)
    alone = min(max(alone, 0.0), whole)
    return SharedNoise(
        mean_variance=of_all,
        of_factor={name: max(0.0, one - alone * shares[name]) for name, one in of_means.items()},
    )


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
