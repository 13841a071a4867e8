"""Every source by what it gives to everything but itself."""

from collections.abc import Sequence

import polars as pl

from donorgrid.analyse.errors.drawn_rates import with_rate_intervals
from donorgrid.analyse.errors.item_errors import source_errors
from donorgrid.analyse.errors.resampling import Resampled
from donorgrid.analyse.reading.paired_differences import ArmDifferences
from donorgrid.analyse.settings import AnalysisSettings
from donorgrid.analyse.tables.choosing import best_shares
from donorgrid.analyse.tables.groups import over_models, summarise
from donorgrid.analyse.tables.making import TableMaker
from donorgrid.core.regimes import TRAINED_CELL
from donorgrid.core.tables import SOURCES

_SOURCE = ["source_task", "source_language"]


def sources_table(
    cells: pl.DataFrame,
    differences: Sequence[ArmDifferences],
    settings: AnalysisSettings,
    *,
    resampled: Sequence[Resampled] = (),
) -> pl.DataFrame:
    """SOURCES rows of one arm, best first.

    Parameters
    ----------
    cells : DataFrame
        Judged rows of plain cells.
    differences : sequence of ArmDifferences
        One per model that has item answers.
    settings : AnalysisSettings
        ``confidence``, ``harm_limit_pp``, ``n_splits`` and ``seed``.
    resampled : sequence of Resampled
        One per model that has item answers: the harm rate gets an interval.

    Returns
    -------
    DataFrame
    """
    transfer = cells.filter(pl.col("regime") != TRAINED_CELL)
    mean = over_models(transfer, _SOURCE, confidence=settings.confidence).drop("n_degenerate")
    summary = summarise(transfer, _SOURCE, settings).select(*_SOURCE, "harm_rate")
    harm = with_rate_intervals(summary, _SOURCE, cells=transfer, resampled=resampled, settings=settings)
    names = transfer.select(*_SOURCE, "source_name").unique(_SOURCE, maintain_order=True)
    table = mean.join(harm, on=_SOURCE, how="left").join(names, on=_SOURCE, how="left")
    noise = table.join(source_errors(differences), on="source_name", how="left")
    ranked = noise.join(best_shares(differences, settings), on="source_name", how="left").drop("source_name")
    best_first = ranked.sort(["mean_pp", *_SOURCE], descending=[True, False, False])
    return best_first.with_row_index("rank", offset=1)


TABLES = (
    TableMaker(
        {"sources": SOURCES},
        lambda arm: (sources_table(arm.cells, arm.differences, arm.settings, resampled=arm.resampled),),
        headline=True,
    ),
)
