"""Candidates on two parts of the evidence: random halves of the items, or each train seed against the others."""

import numpy as np
import polars as pl

from donorgrid.analyse.errors.item_contributions import ItemContributions
from donorgrid.analyse.reading.group_means import means
from donorgrid.analyse.settings import AnalysisSettings
from donorgrid.statistics.rankings.halves import Halves, each_against_others, split_items


def item_halves(candidates: ItemContributions, settings: AnalysisSettings) -> Halves | None:
    """Random halves of the item IDs; the same halves for every model with as many IDs.

    Parameters
    ----------
    candidates : ItemContributions
        The sets of cells to choose from, of one model.
    settings : AnalysisSettings
        ``n_splits`` and ``seed``.

    Returns
    -------
    Halves or None
        None for fewer than two candidates, or without splits.
    """
    if len(candidates.names) < 2 or settings.n_splits < 1:
        return None
    rng = np.random.default_rng([settings.seed, candidates.parts.shape[1]])
    first, second = split_items(candidates.parts, settings.n_splits, rng)
    return Halves(names=candidates.names, whole=candidates.means_pp, first=first, second=second, split="items")


def seed_halves(by_seed: pl.DataFrame, candidate: str) -> Halves | None:
    """Each train seed against the others, for the candidates that every seed has.

    Seeds share their test items, so this corrects for the luck of training runs alone.

    Parameters
    ----------
    by_seed : DataFrame
        Rows of one model with train_seed, delta_pp and the column ``candidate``.
    candidate : str
        Column that names the candidates.

    Returns
    -------
    Halves or None
        None for fewer than two seeds or candidates.
    """
    table = means(by_seed, ["train_seed", candidate]).pivot(on=candidate, index="train_seed", values="mean_pp")
    scores = table.drop("train_seed")
    names = sorted(name for name in scores.columns if not scores[name].null_count())
    if scores.height < 2 or len(names) < 2:
        return None
    per_seed = scores.select(names).to_numpy()
    first, second = each_against_others(per_seed)
    return Halves(names=tuple(names), whole=per_seed.mean(axis=0), first=first, second=second, split="seeds")
