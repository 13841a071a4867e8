"""Does transfer go with linguistic distance? MT-CL transfer against each distance, tested over languages."""

from collections.abc import Mapping

import numpy as np
import polars as pl

from donorgrid.analyse.reading.cell_sets import ROLE_REGIMES
from donorgrid.analyse.settings import AnalysisSettings
from donorgrid.analyse.tables.groups import over_models
from donorgrid.analyse.tables.making import TableMaker
from donorgrid.core.arrays import Reals
from donorgrid.core.tables import LINGUISTIC
from donorgrid.facts.distances import Distances, built_in_distances
from donorgrid.statistics.rankings.mantel import FEWEST_LANGUAGES, MantelTest, mantel

REGIME = ROLE_REGIMES["language"]


def linguistic_table(
    cells: pl.DataFrame, specific: Mapping[str, pl.DataFrame], settings: AnalysisSettings
) -> pl.DataFrame:
    """LINGUISTIC rows of one arm: deltas, and specific transfer against each control, with each distance.

    Transfer between two languages is the mean over models of the mean over tasks.

    Parameters
    ----------
    cells : DataFrame
        Plain cells.
    specific : mapping of str to DataFrame
        Control -> the cells less what it gives.
    settings : AnalysisSettings
        ``distances`` beside the built-in ones, ``n_language_permutations``, ``confidence`` and ``seed``.

    Returns
    -------
    DataFrame
        Languages whose distances are not all known are left out; fewer than four languages give no row.
    """
    frames = {"delta": cells} | {f"specific: {control}": frame for control, frame in specific.items()}
    languages = sorted({*cells["source_language"].to_list(), *cells["target_language"].to_list()})
    distances: dict[str, Distances] = {**built_in_distances(languages), **settings.distances}
    rows = []
    for transfer, frame in frames.items():
        means = over_models(
            frame.filter(pl.col("regime") == REGIME),
            ["source_language", "target_language"],
            confidence=settings.confidence,
        )
        for name, distance in distances.items():
            row = _row(means, distance, languages, settings)
            if row is not None:
                rows.append({"distance": name, "transfer": transfer, **row})
    return pl.DataFrame(rows, schema=LINGUISTIC.schema_without_arm())


def _row(
    means: pl.DataFrame, distance: Distances, languages: list[str], settings: AnalysisSettings
) -> dict[str, object] | None:
    known = _complete(distance, languages)
    if len(known) < FEWEST_LANGUAGES:
        return None
    between = _symmetric(distance, known)
    transfer = _matrix(means, known)
    tests: list[MantelTest] = []
    for ranks in (False, True):
        rng = np.random.default_rng([settings.seed, len(known)])
        n = settings.n_language_permutations
        tests.append(mantel(transfer, between, n_permutations=n, rng=rng, ranks=ranks))
    pearson, spearman = tests
    if np.isnan(pearson.r):
        return None
    return {
        "pearson": pearson.r,
        "pearson_p_value": _nullable(pearson.p_value),
        "spearman": spearman.r,
        "spearman_p_value": _nullable(spearman.p_value),
        "n_languages": len(known),
        "n_pairs": pearson.n_pairs,
        "n_permutations": pearson.n_permutations,
    }


def _nullable(value: float) -> float | None:
    return None if np.isnan(value) else value


def _complete(distance: Distances, languages: list[str]) -> list[str]:
    """The languages whose distances are all known to one another, those with most unknown ones left out first."""
    kept = list(languages)
    while kept:
        unknown = np.isnan(_symmetric(distance, kept)).sum(axis=1)
        if not unknown.any():
            break
        kept.pop(int(unknown.argmax()))
    return kept


def _symmetric(distance: Distances, languages: list[str]) -> Reals:
    """(k, k), zero on the diagonal, NaN where the distance has no such pair."""
    matrix = np.full((len(languages), len(languages)), np.nan)
    np.fill_diagonal(matrix, 0.0)
    index = {name: number for number, name in enumerate(languages)}
    for (a, b), value in distance.items():
        if a in index and b in index:
            matrix[index[a], index[b]] = matrix[index[b], index[a]] = value
    return matrix


def _matrix(means: pl.DataFrame, languages: list[str]) -> Reals:
    """(source, target) mean deltas, NaN where there is none."""
    matrix = np.full((len(languages), len(languages)), np.nan)
    index = {name: number for number, name in enumerate(languages)}
    for source, target, mean in means.select("source_language", "target_language", "mean_pp").iter_rows():
        if source in index and target in index:
            matrix[index[source], index[target]] = mean
    return matrix


TABLES = (
    TableMaker({"linguistic": LINGUISTIC}, lambda arm: (linguistic_table(arm.cells, arm.specific, arm.settings),)),
)
