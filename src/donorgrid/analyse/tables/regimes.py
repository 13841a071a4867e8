"""The regimes table: how the deltas of each regime, and of transfer as a whole, are distributed."""

import polars as pl

from donorgrid.analyse.errors.item_errors import with_regime_errors
from donorgrid.analyse.settings import AnalysisSettings
from donorgrid.analyse.tables.groups import over_models, summarise
from donorgrid.analyse.tables.making import TableMaker
from donorgrid.core import tables
from donorgrid.core.regimes import REGIMES, TRANSFER, TRANSFER_REGIMES

ORDER = {name: number for number, name in enumerate((*REGIMES, TRANSFER))}
"""Regime -> its position in a table."""


def with_transfer(cells: pl.DataFrame) -> pl.DataFrame:
    """The rows, and the transfer rows once more under the regime ``transfer``."""
    transfer = cells.filter(pl.col("regime").is_in(TRANSFER_REGIMES)).with_columns(regime=pl.lit(TRANSFER))
    return pl.concat([cells, transfer])


def regimes_table(cells: pl.DataFrame, settings: AnalysisSettings) -> pl.DataFrame:
    """REGIMES rows of one arm, without item errors (arXiv 2511.13368).

    Parameters
    ----------
    cells : DataFrame
        Judged rows of plain cells.
    settings : AnalysisSettings
        ``confidence`` and ``harm_limit_pp``.

    Returns
    -------
    DataFrame
        Per regime n, mean, median, positive-transfer rate and harm rate; no row for a regime without cells.
    """
    rows = with_transfer(cells)
    spread = over_models(rows, ["regime"], confidence=settings.confidence).select(
        "regime", "n_models", mean_se_pp="se_pp", mean_low_pp="low_pp", mean_high_pp="high_pp"
    )
    table = summarise(rows, ["regime"], settings).join(spread, on="regime", how="left", maintain_order="left")
    return table.sort(pl.col("regime").replace_strict(ORDER))


TABLES = (
    TableMaker(
        {"regimes": tables.REGIMES},
        lambda arm: (with_regime_errors(regimes_table(arm.cells, arm.settings), arm.differences),),
        headline=True,
    ),
)
