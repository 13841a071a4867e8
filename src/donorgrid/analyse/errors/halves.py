"""Means of candidates on two parts of the evidence: what is chosen on one part is reported on the other."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from donorgrid.analyse.errors.item_sums import ItemSums
from donorgrid.analyse.settings import AnalysisSettings
from donorgrid.analyse.tables.groups import means
from donorgrid.statistics.kendall import mean_over_pairs, tau_b

Reals = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Halves:
    """Means (pp) of the candidates (k,) on everything, and on the two parts of each split, (splits, k) each.

    ``split`` says what was split: items or seeds.
    """

    names: tuple[str, ...]
    whole: Reals
    first: Reals
    second: Reals
    split: str

    def picked(self, candidates: Sequence[str]) -> "Halves":
        """The same for some of the candidates, in the given order."""
        pick = [self.names.index(name) for name in candidates]
        return Halves(
            names=tuple(candidates),
            whole=self.whole[pick],
            first=self.first[:, pick],
            second=self.second[:, pick],
            split=self.split,
        )

    @property
    def best(self) -> npt.NDArray[np.intp]:
        """(2 splits,): the best candidate of each part."""
        return np.concatenate([self.first.argmax(axis=1), self.second.argmax(axis=1)])

    @property
    def honest_pp(self) -> float:
        """The mean, on the other part, of the candidate that is best on one part."""
        rows = np.arange(len(self.first))
        forth = self.second[rows, self.first.argmax(axis=1)]
        back = self.first[rows, self.second.argmax(axis=1)]
        return float((forth.mean() + back.mean()) / 2.0)

    @property
    def agreement(self) -> float | None:
        """The mean tau-b between the parts' rankings; None where no split has one."""
        taus = mean_over_pairs(tau_b(np.stack([self.first, self.second], axis=1), least=2))
        known = taus[~np.isnan(taus)]
        return float(known.mean()) if known.size else None


def item_halves(found: ItemSums, settings: AnalysisSettings) -> Halves | None:
    """Random halves of the item IDs; the same halves for every model with as many IDs. None for one candidate."""
    if len(found.names) < 2 or settings.n_splits < 1:
        return None
    n_clusters = found.parts.shape[1]
    rng = np.random.default_rng([settings.seed, n_clusters])
    split = rng.permuted(np.tile(np.arange(n_clusters) % 2, (settings.n_splits, 1)), axis=1).astype(np.float64)
    first = 2.0 * split @ found.parts.T
    second = 2.0 * (1.0 - split) @ found.parts.T
    return Halves(names=found.names, whole=found.means_pp, first=first, second=second, split="items")


def seed_halves(by_seed: pl.DataFrame, candidate: str) -> Halves | None:
    """Each train seed against the others, for the candidates of one model that every seed has.

    ``by_seed``: rows of one model with train_seed, delta_pp and the column ``candidate``. None with fewer than two
    seeds or candidates. Seeds share their test items, so this corrects for the luck of training runs alone.
    """
    table = means(by_seed, ["train_seed", candidate]).pivot(on=candidate, index="train_seed", values="mean_pp")
    scores = table.drop("train_seed")
    names = sorted(name for name in scores.columns if not scores[name].null_count())
    if scores.height < 2 or len(names) < 2:
        return None
    per_seed = scores.select(names).to_numpy()
    others = (per_seed.sum(axis=0) - per_seed) / (len(per_seed) - 1)
    return Halves(names=tuple(names), whole=per_seed.mean(axis=0), first=per_seed, second=others, split="seeds")


def over_models(halves: Sequence[Halves]) -> Halves | None:
    """The means over models, for the candidates that all of them have; None for fewer than two candidates."""
    if not halves or len({len(one.first) for one in halves}) > 1:
        return None
    names = tuple(name for name in halves[0].names if all(name in one.names for one in halves))
    if len(names) < 2:
        return None
    picked = [one.picked(names) for one in halves]
    return Halves(
        names=names,
        whole=np.mean([one.whole for one in picked], axis=0),
        first=np.mean([one.first for one in picked], axis=0),
        second=np.mean([one.second for one in picked], axis=0),
        split=picked[0].split,
    )
