"""Choosing is not measuring: the choice on one half of the items (or seeds) is reported on the other half."""

from collections.abc import Sequence

import numpy as np
import polars as pl

from donorgrid.analyse.errors.halves import item_halves, seed_halves
from donorgrid.analyse.errors.item_contributions import item_contributions
from donorgrid.analyse.reading.cell_sets import DONORS, ROLE_REGIMES, CellSets, source_sets
from donorgrid.analyse.reading.paired_differences import ArmDifferences
from donorgrid.analyse.settings import AnalysisSettings
from donorgrid.analyse.tables.making import TableMaker
from donorgrid.core.regimes import TRANSFER_REGIMES
from donorgrid.core.tables import CHOOSING
from donorgrid.core.tables.declaring import ARM
from donorgrid.statistics.rankings.halves import Halves, mean_over_models

ALL_MODELS = "all models"
CANDIDATES: dict[str, CellSets] = {
    "source": source_sets,
    "language donor": DONORS["language"],
    "task donor": DONORS["task"],
}
"""What is chosen -> the sets of cells that score the candidates."""
COLUMNS = {
    "source": ("source_name", TRANSFER_REGIMES),
    "language donor": ("source_language", (ROLE_REGIMES["language"],)),
    "task donor": ("source_task", (ROLE_REGIMES["task"],)),
}
"""What is chosen -> the column that names the candidates, and the regimes in which they are scored."""


def choosing_table(
    differences: Sequence[ArmDifferences],
    settings: AnalysisSettings,
    *,
    cells: pl.DataFrame,
    by_seed: pl.DataFrame | None = None,
) -> pl.DataFrame:
    """CHOOSING rows of one arm, per model and for the mean over models.

    Parameters
    ----------
    differences : sequence of ArmDifferences
        One per model that has item answers: their items are split.
    settings : AnalysisSettings
        ``n_splits`` and ``seed``.
    cells : DataFrame
        Plain cells.
    by_seed : DataFrame, optional
        DELTAS_BY_SEED rows: without item answers the train seeds are split.

    Returns
    -------
    DataFrame
        No row with neither.
    """
    rows = []
    for what in CANDIDATES:
        halves = halves_by_items(differences, what, settings) if differences else _by_seeds(cells, by_seed, what)
        of_all = mean_over_models(list(halves.values()))
        if of_all is not None and len(halves) > 1:
            halves[ALL_MODELS] = of_all
        rows += [{"what": what, "model": model, **_row(of_model)} for model, of_model in halves.items()]
    return pl.DataFrame(rows, schema=CHOOSING.schema_without_arm())


def halves_by_items(differences: Sequence[ArmDifferences], what: str, settings: AnalysisSettings) -> dict[str, Halves]:
    """Random halves of the items, for one kind of candidates.

    Parameters
    ----------
    differences : sequence of ArmDifferences
        One per model that has item answers.
    what : str
        A key of ``CANDIDATES``.
    settings : AnalysisSettings
        ``n_splits`` and ``seed``.

    Returns
    -------
    dict of str to Halves
        Model -> its candidates; without the models that have fewer than two.
    """
    of_models = {
        paired.model: item_halves(item_contributions(paired, CANDIDATES[what](paired)), settings)
        for paired in differences
    }
    return {model: halves for model, halves in of_models.items() if halves is not None}


def _by_seeds(cells: pl.DataFrame, by_seed: pl.DataFrame | None, what: str) -> dict[str, Halves]:
    if by_seed is None:
        return {}
    column, regimes = COLUMNS[what]
    key = ["model", "source_name", "target_task", "target_language"]
    arm = [name for name in ARM if name in by_seed.columns and name in cells.columns]
    wanted = cells.filter(pl.col("regime").is_in(regimes)).select(*key, *arm)
    seeds = by_seed.join(wanted, on=[*key, *arm], how="semi", nulls_equal=True)
    of_models = {
        str(model): seed_halves(part, column) for (model,), part in seeds.group_by("model", maintain_order=True)
    }
    return {model: halves for model, halves in of_models.items() if halves is not None}


def _row(halves: Halves) -> dict[str, object]:
    best = int(halves.whole.argmax())
    apparent = float(halves.whole[best])
    return {
        "best": halves.names[best],
        "n_candidates": len(halves.names),
        "apparent_pp": apparent,
        "honest_pp": halves.honest_pp,
        "optimism_pp": apparent - halves.honest_pp,
        "best_share": float(np.mean(halves.best == best)),
        "half_agreement": halves.agreement,
        "split": halves.split,
        "n_splits": len(halves.first),
    }


def best_shares(differences: Sequence[ArmDifferences], settings: AnalysisSettings) -> pl.DataFrame:
    """How often each source is best on a random half of the items, over models.

    Parameters
    ----------
    differences : sequence of ArmDifferences
        One per model that has item answers.
    settings : AnalysisSettings
        ``n_splits`` and ``seed``.

    Returns
    -------
    DataFrame
        source_name and best_share; no rows where models share fewer than two sources.
    """
    of_all = mean_over_models(list(halves_by_items(differences, "source", settings).values()))
    if of_all is None:
        return pl.DataFrame(schema={"source_name": pl.String, "best_share": pl.Float64})
    shares = np.bincount(of_all.best, minlength=len(of_all.names)) / of_all.best.size
    return pl.DataFrame({"source_name": of_all.names, "best_share": shares})


TABLES = (
    TableMaker(
        {"choosing": CHOOSING},
        lambda arm: (choosing_table(arm.differences, arm.settings, cells=arm.cells, by_seed=arm.by_seed),),
        headline=True,
    ),
)
