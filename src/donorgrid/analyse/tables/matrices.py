"""Transfer matrices between languages (matched task) and between tasks (matched language), in long form."""

import polars as pl

from donorgrid.analyse.settings import AnalysisSettings
from donorgrid.analyse.tables.groups import over_models
from donorgrid.core.regimes import TRAINED_CELL


def matrix_language(cells: pl.DataFrame, settings: AnalysisSettings) -> pl.DataFrame:
    """MATRIX_LANGUAGE rows of one arm: mean over matched-task rows; the diagonal is the trained cells (MT-ML)."""
    return _matrix(cells, ("MT-CL", TRAINED_CELL), "language", settings)


def matrix_task(cells: pl.DataFrame, settings: AnalysisSettings) -> pl.DataFrame:
    """MATRIX_TASK rows of one arm: mean over matched-language rows; the diagonal is the trained cells (MT-ML)."""
    return _matrix(cells, ("CT-ML", TRAINED_CELL), "task", settings)


def _matrix(cells: pl.DataFrame, regimes: tuple[str, str], axis: str, settings: AnalysisSettings) -> pl.DataFrame:
    ends = [f"source_{axis}", f"target_{axis}"]
    rows = cells.filter(pl.col("regime").is_in(regimes))
    entries = over_models(rows, [*ends, "regime"], confidence=settings.confidence)
    return entries.with_columns(same=pl.col("regime") == TRAINED_CELL).drop("low_pp", "high_pp", "regime").sort(ends)
