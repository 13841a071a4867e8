"""The noise of measured cells as advice takes it: runs that change a model more also differ more from each other."""

import numpy as np
import polars as pl

from donorgrid.analyse.errors.cell_errors import ASSUMED, FROM_SEEDS
from donorgrid.core.tables.declaring import ARM

_POOL = ("model", *ARM, "source_task", "target_task")
_CELLS_OF_TARGET = 5.0
"""The error of all sources counts as so many cells, so that a few cells do not decide alone."""


def with_noise_by_source_task(cells: pl.DataFrame) -> pl.DataFrame:
    """Returns the cells with errors from seeds pooled by source task and target task, not over all sources."""
    if "se_seed_pp" not in cells.columns or "se_kind" not in cells.columns:
        return cells
    square, given = pl.col("se_seed_pp") ** 2, pl.col("noise_se_pp") ** 2
    n = pl.col("se_seed_pp").count()
    pooled = (square.sum() + _CELLS_OF_TARGET * given.mean()) / (n + _CELLS_OF_TARGET)
    from_seeds = pl.col("se_kind") == FROM_SEEDS
    return cells.with_columns(
        noise_se_pp=pl.when(from_seeds).then(pooled.sqrt().over(_POOL)).otherwise(pl.col("noise_se_pp"))
    )


def is_assumed(cells: pl.DataFrame) -> np.ndarray:
    """Returns True for the cells whose error is an assumption, shape ``(n_cells,)``."""
    if "se_kind" not in cells.columns:
        return np.zeros(cells.height, dtype=bool)
    return cells["se_kind"].eq_missing(ASSUMED).to_numpy()
