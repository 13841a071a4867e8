"""Means of groups of rows.

Sums run in NumPy in the order of the rows, so that a table does not depend on the number of threads.
"""

from collections.abc import Sequence

import numpy as np
import polars as pl


def n_degenerate(cells: pl.DataFrame) -> pl.Expr:
    """How many rows of a group have a degenerate target; null where the cells have no such column."""
    return pl.col("degenerate").sum().cast(pl.Int64) if "degenerate" in cells.columns else pl.lit(None, dtype=pl.Int64)


def means(cells: pl.DataFrame, by: Sequence[str], *, value: str = "delta_pp") -> pl.DataFrame:
    """The mean of each group of rows.

    Parameters
    ----------
    cells : DataFrame
        Rows with the columns ``by`` and ``value``.
    by : sequence of str
        Columns that make the groups.
    value : str
        Column to average, in percentage points.

    Returns
    -------
    DataFrame
        ``by``, n, mean_pp and n_degenerate; groups in the order of first appearance.
    """
    grouped = cells.group_by(by, maintain_order=True).agg(
        n=pl.len().cast(pl.Int64), n_degenerate=n_degenerate(cells), values=pl.col(value)
    )
    mean = [float(np.mean(group.to_numpy())) for group in grouped["values"]]
    return grouped.select(*by, "n", pl.Series("mean_pp", mean, dtype=pl.Float64), "n_degenerate")
