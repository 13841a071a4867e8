"""The regimes table: how the deltas of each regime, and of transfer as a whole, are distributed."""

import polars as pl

from donorgrid.analyse.settings import AnalysisSettings
from donorgrid.analyse.tables.groups import over_models, summarise
from donorgrid.core.regimes import REGIMES, TRANSFER_REGIMES

TRANSFER = "transfer"
"""The name of all regimes but MT-ML taken together."""


def with_transfer(cells: pl.DataFrame) -> pl.DataFrame:
    """The rows, and the transfer rows once more under the regime ``transfer``."""
    transfer = cells.filter(pl.col("regime").is_in(TRANSFER_REGIMES)).with_columns(regime=pl.lit(TRANSFER))
    return pl.concat([cells, transfer])


def regimes_table(cells: pl.DataFrame, settings: AnalysisSettings) -> pl.DataFrame:
    """REGIMES rows of one arm: per regime n, mean, median, positive-transfer rate and harm rate (arXiv 2511.13368).

    ``cells``: judged rows of plain cells. A regime without rows has no row here.
    """
    rows = with_transfer(cells)
    spread = over_models(rows, ["regime"], confidence=settings.confidence).select(
        "regime", "n_models", mean_se_pp="se_pp", mean_low_pp="low_pp", mean_high_pp="high_pp"
    )
    table = summarise(rows, ["regime"], settings).join(spread, on="regime", how="left", maintain_order="left")
    order = pl.col("regime").replace_strict({name: place for place, name in enumerate((*REGIMES, TRANSFER))})
    return table.sort(order)
