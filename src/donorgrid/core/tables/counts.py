"""The counts behind a table of deltas: how many right answers each row gained, of how many."""

import numpy as np
import numpy.typing as npt
import polars as pl

_RIGHT = {"acc": ("n_right", "n_right_base"), "acc_norm": ("n_right_norm", "n_right_norm_base")}
_UNKNOWN = pl.lit(None, dtype=pl.Int64)


def gained_items(deltas: pl.DataFrame) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """The right answers gained and the answers compared, by the metric of each row.

    Parameters
    ----------
    deltas : DataFrame
        Rows of DELTAS or DELTAS_BY_SEED; every column may be absent.

    Returns
    -------
    gained, n_items : ndarray
        Shape ``(n_rows,)``. Whole numbers, exact below 2**53; NaN in both where a row lacks a count.
    """
    metric = pl.col("metric") if "metric" in deltas.columns else pl.lit("acc_norm")
    n_items = pl.col("n_items") if "n_items" in deltas.columns else _UNKNOWN
    acc, acc_norm = (_gained(deltas, name) for name in ("acc", "acc_norm"))
    gained = pl.when(metric == "acc").then(pl.coalesce(acc, acc_norm)).otherwise(acc_norm)
    counts = deltas.select(gained=gained.cast(pl.Float64), n_items=n_items.cast(pl.Float64))
    known = counts.select(both=pl.all_horizontal(pl.all().is_not_null()))["both"].to_numpy()
    of_rows = [np.where(known, counts[name].fill_null(0).to_numpy(), np.nan) for name in ("gained", "n_items")]
    return of_rows[0], of_rows[1]


def _gained(deltas: pl.DataFrame, metric: str) -> pl.Expr:
    right, base = _RIGHT[metric]
    return pl.col(right) - pl.col(base) if {right, base} <= set(deltas.columns) else _UNKNOWN
