"""Do models, and tasks translated in different ways, agree on the donors? Beside the ceiling of any agreement."""

from collections.abc import Sequence

import numpy as np
import polars as pl

from donorgrid.analyse.reading.group_means import means
from donorgrid.analyse.reading.paired_differences import ArmDifferences
from donorgrid.analyse.settings import AnalysisSettings
from donorgrid.analyse.tables.choosing import COLUMNS, halves_by_items
from donorgrid.analyse.tables.making import TableMaker
from donorgrid.core.tables import AGREEMENT
from donorgrid.statistics.rankings.kendall import mean_over_pairs, tau_b
from donorgrid.statistics.rankings.ranks import mean_spearman


def agreement_table(
    cells: pl.DataFrame, differences: Sequence[ArmDifferences], settings: AnalysisSettings
) -> pl.DataFrame:
    """AGREEMENT rows of one arm: donor ranks between models, and between subsets of tasks by translation.

    Parameters
    ----------
    cells : DataFrame
        Plain cells.
    differences : sequence of ArmDifferences
        One per model that has item answers.
    settings : AnalysisSettings
        ``translations``, ``n_splits`` and ``seed``.

    Returns
    -------
    DataFrame
        ``ceiling_kendall`` is the mean agreement of a model with itself on the other half of the items.
    """
    translation = pl.col("target_task").replace_strict(
        dict(settings.translations), default=None, return_dtype=pl.String
    )
    rows: list[dict[str, object]] = []
    for what in ("language donor", "task donor"):
        column, regimes = COLUMNS[what]
        part = cells.filter(pl.col("regime").is_in(regimes)).with_columns(translation=translation)
        ceiling = _ceiling(differences, what, settings)
        between = _agreement(part, column, "model")
        rows.append({"what": what, "between": "models", "ceiling_kendall": ceiling, **between})
        if what == "language donor":
            known = part.filter(pl.col("translation").is_not_null())
            rows.append({"what": what, "between": "translations", **_agreement(known, column, "translation")})
    return pl.DataFrame([row for row in rows if row["n_pairs"]], schema=AGREEMENT.schema_without_arm())


def _ceiling(differences: Sequence[ArmDifferences], what: str, settings: AnalysisSettings) -> float | None:
    taus = [halves.agreement for halves in halves_by_items(differences, what, settings).values()]
    known = [tau for tau in taus if tau is not None]
    return float(np.mean(known)) if known else None


def _agreement(part: pl.DataFrame, column: str, raters: str) -> dict[str, object]:
    """Kendall and Spearman between raters over the candidates, averaged over pairs of raters."""
    scores = np.empty((0, 0))
    if part.height:
        table = means(part, [raters, column]).pivot(on=column, index=raters, values="mean_pp")
        scores = table.drop(raters).cast(pl.Float64).fill_null(np.nan).to_numpy()
    n_raters, n_candidates = scores.shape
    if n_raters < 2 or n_candidates < 3:
        return {"n_candidates": n_candidates, "n_pairs": 0, "kendall": None, "spearman": None}
    kendall = float(mean_over_pairs(tau_b(scores)))
    return {
        "n_candidates": n_candidates,
        "n_pairs": n_raters * (n_raters - 1) // 2,
        "kendall": None if np.isnan(kendall) else kendall,
        "spearman": mean_spearman(scores),
    }


TABLES = (
    TableMaker({"agreement": AGREEMENT}, lambda arm: (agreement_table(arm.cells, arm.differences, arm.settings),)),
)
