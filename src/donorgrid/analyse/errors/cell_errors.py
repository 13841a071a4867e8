"""The noise of each cell: its standard error from items and training runs, its bounds, and its verdict."""

import numpy as np
import polars as pl

from donorgrid.analyse.errors.run_errors import POOL, run_variances
from donorgrid.analyse.settings import AnalysisSettings
from donorgrid.core.arrays import Flags, Reals
from donorgrid.statistics.errors.intervals import normal_bounds
from donorgrid.statistics.harm import limit_p_values, verdicts
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
        With noise_se_pp, null_se_pp, half_step_pp, low_pp, high_pp (percentage points), se_kind, verdict,
        p_value_harmed, p_value_safe and items_to_decide. ``low_pp`` and ``high_pp`` are the one-sided bounds that the
        verdict reads, each passed by the truth with probability 1 - confidence; the delta lies between them. A cell
        with ``degenerate`` stays undecided, and no number of items decides it.
    """
    rows = cells.join(run_variances(cells, by_seed), on=POOL, how="left", maintain_order="left")
    if "se_pp" in rows.columns and rows["se_pp"].null_count() < rows.height:
        return _from_items(rows, settings)
    if "se_seed_pp" in rows.columns and rows["se_seed_pp"].null_count() < rows.height:
        return _from_seeds(rows, settings)
    return _from_assumed_flips(rows, settings)


def _from_seeds(rows: pl.DataFrame, settings: AnalysisSettings) -> pl.DataFrame:
    """The seeds' spread where a (model, target task) has any; the others, say of a second table, assume flips."""
    ordered = rows.with_row_index("row").with_columns(pooled=(pl.col("se_seed_pp") ** 2).mean().sqrt().over(POOL))
    known, others = ordered.filter(pl.col("pooled").is_not_null()), ordered.filter(pl.col("pooled").is_null())
    frames = [_from_se(known, known["pooled"].to_numpy(), FROM_SEEDS, settings)]
    if others.height:
        frames.append(_from_assumed_flips(others, settings))
    return pl.concat(frames).sort("row").drop("row", "pooled")


def _from_assumed_flips(rows: pl.DataFrame, settings: AnalysisSettings) -> pl.DataFrame:
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
    distance = adjusted.centre_pp + settings.harm_limit_pp
    sd = adjusted.se_pp / 100.0 * np.sqrt(n_items)
    measured = _with(
        rows,
        noise_se_pp=adjusted.se_pp,
        null_se_pp=np.sqrt(null_se_pp(delta, se, n_items) ** 2 + run_variance),
        half_step_pp=50.0 / _column(rows, "n_items"),
    )
    judged = _judged(measured, adjusted.centre_pp, adjusted.se_pp, settings)
    decided = (judged["verdict"] != "undecided").to_numpy() | _degenerate(rows)
    return _with(
        judged, items_to_decide=np.where(decided, np.nan, items_to_decide(sd, distance, tail=tail))
    ).with_columns(se_kind=pl.lit(FROM_ITEMS))


def _from_se(rows: pl.DataFrame, se: Reals, kind: str, settings: AnalysisSettings) -> pl.DataFrame:
    measured = _with(
        rows,
        noise_se_pp=se,
        null_se_pp=se,
        half_step_pp=50.0 / _column(rows, "n_items"),
        items_to_decide=np.full(rows.height, np.nan),
    )
    judged = _judged(measured, rows["delta_pp"].to_numpy(), se, settings)
    if kind != FROM_SEEDS:
        unjudged = {"verdict": pl.String, "p_value_harmed": pl.Float64, "p_value_safe": pl.Float64}
        judged = judged.with_columns(pl.lit(None, dtype=dtype).alias(name) for name, dtype in unjudged.items())
    return judged.with_columns(se_kind=pl.lit(kind if np.isfinite(se).any() else UNKNOWN))


def _judged(rows: pl.DataFrame, centre: Reals, se: Reals, settings: AnalysisSettings) -> pl.DataFrame:
    """With bounds, the verdict that reads them, and its p-values."""
    delta = rows["delta_pp"].to_numpy()
    low, high = normal_bounds(centre, se, 1.0 - settings.confidence)
    low, high = np.clip(np.minimum(low, delta), -100.0, None), np.clip(np.maximum(high, delta), None, 100.0)
    verdict = verdicts(low, high, settings.harm_limit_pp, degenerate=_degenerate(rows))
    p_harmed, p_safe = limit_p_values(centre, se, settings.harm_limit_pp)
    bounded = _with(rows, low_pp=low, high_pp=high, p_value_harmed=p_harmed, p_value_safe=p_safe)
    return bounded.with_columns(verdict=pl.Series(verdict))


def _degenerate(rows: pl.DataFrame) -> Flags:
    """True where the baseline is known to show no skill, shape ``(n,)``."""
    if "degenerate" not in rows.columns:
        return np.zeros(rows.height, dtype=bool)
    return rows["degenerate"].fill_null(False).to_numpy()


def _with(rows: pl.DataFrame, **columns: Reals) -> pl.DataFrame:
    return rows.with_columns(pl.Series(name, values, nan_to_null=True) for name, values in columns.items())
