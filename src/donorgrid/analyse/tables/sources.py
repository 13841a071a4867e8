"""Every source by what it gives to everything but itself."""

from collections.abc import Sequence

import polars as pl

from donorgrid.analyse.errors.item_errors import source_errors
from donorgrid.analyse.errors.paired_differences import ArmDifferences
from donorgrid.analyse.settings import AnalysisSettings
from donorgrid.analyse.tables.choosing import best_shares
from donorgrid.analyse.tables.groups import over_models, summarise
from donorgrid.core.regimes import TRAINED_CELL

SOURCE = ["source_task", "source_language"]


def sources_table(cells: pl.DataFrame, own: Sequence[ArmDifferences], settings: AnalysisSettings) -> pl.DataFrame:
    """SOURCES rows of one arm, best first."""
    transfer = cells.filter(pl.col("regime") != TRAINED_CELL)
    mean = over_models(transfer, SOURCE, confidence=settings.confidence).drop("n_degenerate")
    harm = summarise(transfer, SOURCE, settings).select(*SOURCE, "harm_rate")
    names = transfer.select(*SOURCE, "source_name").unique(SOURCE, maintain_order=True)
    table = mean.join(harm, on=SOURCE, how="left").join(names, on=SOURCE, how="left")
    noise = table.join(source_errors(own), on="source_name", how="left")
    ranked = noise.join(best_shares(own, settings), on="source_name", how="left").drop("source_name")
    best_first = ranked.sort(["mean_pp", *SOURCE], descending=[True, False, False])
    return best_first.with_row_index("rank", offset=1)
