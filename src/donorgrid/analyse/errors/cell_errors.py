"""The noise of each cell: its standard error from items and training runs, its bounds, and its verdict."""

import numpy as np
import polars as pl

from donorgrid.analyse.errors.run_errors import POOL, run_variances
from donorgrid.analyse.settings import AnalysisSettings
from donorgrid.core.arrays import Reals
from donorgrid.statistics.errors.intervals import normal_bounds
from donorgrid.statistics.harm import verdicts
from donorgrid.statistics.paired import assumed_se_pp, items_to_decide, null_se_pp, paired_bounds

FROM_ITEMS, FROM_SEEDS, ASSUMED, UNKNOWN = "items", "seeds", "assumed flips", "unknown"
"""Values of ``se_kind``: where the error of a cell comes from."""


def with_uncertainty(
    cells: pl.DataFrame, settings: AnalysisSettings, *, by_seed: pl.DataFrame | None = None
) -> pl.DataFrame:
    """The cells with their noise, bounds and verdicts.

    The error is the paired one over items where the cells have it, plus the spread between training runs (pooled per
    model and target task over the train seeds); else the seeds' spread, pooled alike; else that of
    ``assumed_flip_rate`` independent flips, which gets no verdict.

    Parameters
    ----------
    cells : DataFrame
        Cells of one arm.
    settings : AnalysisSettings
        ``confidence``, ``harm_limit_pp`` and ``assumed_flip_rate``.
    by_seed : DataFrame, optional
        DELTAS_BY_SEED rows.

    Returns
    -------
    DataFrame
        With noise_se_pp, null_se_pp, half_step_pp, low_pp, high_pp (percentage points), se_kind, verdict and
        items_to_decide. Verdicts use one-sided bounds, each wrong with probability 1 - confidence; ``low_pp`` and
        ``high_pp`` are the two-sided interval.
    """
    rows = cells.join(run_variances(cells, by_seed), on=POOL, how="left", maintain_order="left")
    if "se_pp" in rows.columns and rows["se_pp"].null_count() < rows.height:
        return _from_items(rows, settings)
    if "se_seed_pp" in rows.columns and rows["se_seed_pp"].null_count() < rows.height:
        pooled = (pl.col("se_seed_pp") ** 2).mean().sqrt().over(POOL)
        return _from_se(rows, rows.select(pooled).to_series().to_numpy(), FROM_SEEDS, settings)
    return _from_se(rows, assumed_se_pp(settings.assumed_flip_rate, _column(rows, "n_items")), ASSUMED, settings)


def _column(rows: pl.DataFrame, name: str) -> Reals:
    """A numeric column as floats, NaN where it is absent or null."""
    if name not in rows.columns:
        return np.full(rows.height, np.nan)
    return rows[name].cast(pl.Float64).fill_null(np.nan).to_numpy()


def _from_items(rows: pl.DataFrame, settings: AnalysisSettings) -> pl.DataFrame:
    delta, se = rows["delta_pp"].to_numpy(), _column(rows, "se_pp")
    n_seeds = np.maximum(np.nan_to_num(_column(rows, "n_seeds"), nan=1.0), 1.0)
    n_items = _column(rows, "n_items") / n_seeds
    run_variance = rows["run_variance"].to_numpy() / n_seeds
    adjusted = paired_bounds(delta, se, n_items, n_seeds=n_seeds, extra_variance=run_variance)
    tail = 1.0 - settings.confidence
    low, high = adjusted.bounds(tail / 2.0)
    verdict = verdicts(*adjusted.bounds(tail), settings.harm_limit_pp)
    distance = adjusted.centre_pp + settings.harm_limit_pp
    sd = adjusted.se_pp / 100.0 * np.sqrt(n_items)
    return _with(
        rows,
        noise_se_pp=adjusted.se_pp,
        null_se_pp=np.sqrt(null_se_pp(delta, se, n_items) ** 2 + run_variance),
        half_step_pp=50.0 / _column(rows, "n_items"),
        low_pp=low,
        high_pp=high,
        items_to_decide=np.where(verdict == "undecided", items_to_decide(sd, distance, tail=tail), np.nan),
    ).with_columns(verdict=pl.Series(verdict), se_kind=pl.lit(FROM_ITEMS))


def _from_se(rows: pl.DataFrame, se: Reals, kind: str, settings: AnalysisSettings) -> pl.DataFrame:
    delta, tail = rows["delta_pp"].to_numpy(), 1.0 - settings.confidence
    low, high = normal_bounds(delta, se, tail / 2)
    measured = _with(
        rows,
        noise_se_pp=se,
        null_se_pp=se,
        half_step_pp=50.0 / _column(rows, "n_items"),
        low_pp=low,
        high_pp=high,
        items_to_decide=np.full(rows.height, np.nan),
    )
    verdict = verdicts(*normal_bounds(delta, se, tail), settings.harm_limit_pp)
    given = pl.Series(verdict) if kind == FROM_SEEDS else pl.lit(None, dtype=pl.String)
    named = kind if np.isfinite(se).any() else UNKNOWN
    return measured.with_columns(verdict=given, se_kind=pl.lit(named))


def _with(rows: pl.DataFrame, **columns: Reals) -> pl.DataFrame:
    return rows.with_columns(pl.Series(name, values, nan_to_null=True) for name, values in columns.items())
