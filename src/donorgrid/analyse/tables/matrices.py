"""Transfer matrices between languages (matched task) and between tasks (matched language), in long form."""

import polars as pl

from donorgrid.analyse.reading.cell_sets import ROLE_REGIMES
from donorgrid.analyse.settings import AnalysisSettings
from donorgrid.analyse.tables.groups import over_models
from donorgrid.analyse.tables.making import TableMaker
from donorgrid.core.regimes import TRAINED_CELL
from donorgrid.core.tables import MATRIX_LANGUAGE, MATRIX_TASK


def transfer_matrix(cells: pl.DataFrame, axis: str, settings: AnalysisSettings) -> pl.DataFrame:
    """MATRIX_LANGUAGE or MATRIX_TASK rows of one arm; the diagonal is the trained cells (MT-ML).

    Parameters
    ----------
    cells : DataFrame
        Rows of plain cells.
    axis : {"language", "task"}
        What the rows and columns are. The other part of the cells is matched.
    settings : AnalysisSettings
        ``confidence``.

    Returns
    -------
    DataFrame
    """
    ends = [f"source_{axis}", f"target_{axis}"]
    rows = cells.filter(pl.col("regime").is_in((ROLE_REGIMES[axis], TRAINED_CELL)))
    entries = over_models(rows, [*ends, "regime"], confidence=settings.confidence)
    return entries.with_columns(same=pl.col("regime") == TRAINED_CELL).drop("low_pp", "high_pp", "regime").sort(ends)


TABLES = (
    TableMaker(
        {"matrix_language": MATRIX_LANGUAGE},
        lambda arm: (transfer_matrix(arm.cells, "language", arm.settings),),
        headline=True,
    ),
    TableMaker(
        {"matrix_task": MATRIX_TASK}, lambda arm: (transfer_matrix(arm.cells, "task", arm.settings),), headline=True
    ),
)
