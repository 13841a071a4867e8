"""How noisy each cell is: its standard error from items and training runs, its bounds, and its verdict."""

import numpy as np
import numpy.typing as npt
import polars as pl
from scipy.special import ndtri

from donorgrid.analyse.settings import AnalysisSettings
from donorgrid.core.tables.declaring import ARM
from donorgrid.statistics.harm import verdicts
from donorgrid.statistics.paired import items_to_decide, null_se_pp, paired_bounds

FROM_ITEMS, FROM_SEEDS, ASSUMED, UNKNOWN = "items", "seeds", "assumed flips", "unknown"
Reals = npt.NDArray[np.float64]
_POOL = ["model", "target_task"]


def with_uncertainty(
    cells: pl.DataFrame, settings: AnalysisSettings, *, by_seed: pl.DataFrame | None = None
) -> pl.DataFrame:
    """The cells with noise_se_pp, null_se_pp, se_kind, half_step_pp, low_pp, high_pp, verdict, items_to_decide.

    The error is the paired one over items where the cells have it, plus the spread between training runs (pooled per
    model and target task over the train seeds); else the seeds' spread, pooled alike; else that of
    ``assumed_flip_rate`` independent flips, which gets no verdict. Verdicts use one-sided bounds, each wrong with
    probability 1 - confidence; ``low_pp`` and ``high_pp`` are the two-sided interval.
    """
    rows = cells.join(run_variances(cells, by_seed), on=_POOL, how="left", maintain_order="left")
    if "se_pp" in rows.columns and rows["se_pp"].null_count() < rows.height:
        return _from_items(rows, settings)
    if "se_seed_pp" in rows.columns and rows["se_seed_pp"].null_count() < rows.height:
        pooled = (pl.col("se_seed_pp") ** 2).mean().sqrt().over(_POOL)
        return _plain(rows, rows.select(pooled).to_series().to_numpy(), FROM_SEEDS, settings)
    n_items = _column(rows, "n_items")
    return _plain(rows, 100.0 * np.sqrt(settings.assumed_flip_rate / n_items), ASSUMED, settings)


def run_variances(cells: pl.DataFrame, by_seed: pl.DataFrame | None) -> pl.DataFrame:
    """Per (model, target_task): run_variance (pp^2), the variance between training runs beyond what items explain.

    Between-seed variance of the deltas, less S / (S - 1) (mean single-seed item variance - pooled item variance): what
    independent flips of items alone would give. At least zero; zero where a single seed leaves it unknown.
    """
    columns = {"se_pp", "delta_pp"}
    if by_seed is None or not columns <= set(by_seed.columns) or "se_pp" not in cells.columns:
        return cells.select(_POOL).unique().with_columns(run_variance=pl.lit(0.0))
    key = ["model", "source_name", "target_task", "target_language"]
    arm = [name for name in ARM if name in by_seed.columns and name in cells.columns]
    own = by_seed.join(cells.select(arm).unique(), on=arm, nulls_equal=True)
    spread = own.group_by([*key, *arm]).agg(
        between=pl.col("delta_pp").var(), single=(pl.col("se_pp") ** 2).mean(), n=pl.len().cast(pl.Float64)
    )
    both = cells.join(spread.filter(pl.col("n") > 1), on=[*key, *arm], nulls_equal=True, maintain_order="left")
    expected = pl.col("n") / (pl.col("n") - 1) * (pl.col("single") - pl.col("se_pp") ** 2)
    excess = both.group_by(_POOL, maintain_order=True).agg(run_variance=(pl.col("between") - expected).mean())
    return (
        cells.select(_POOL)
        .unique(maintain_order=True)
        .join(excess, on=_POOL, how="left", maintain_order="left")
        .with_columns(pl.col("run_variance").fill_null(0.0).clip(lower_bound=0.0))
    )


def _column(rows: pl.DataFrame, name: str) -> Reals:
    """A numeric column as floats, NaN where it is absent or null."""
    if name not in rows.columns:
        return np.full(rows.height, np.nan)
    return rows[name].cast(pl.Float64).fill_null(np.nan).to_numpy()


def _from_items(rows: pl.DataFrame, settings: AnalysisSettings) -> pl.DataFrame:
    delta, se = rows["delta_pp"].to_numpy(), _column(rows, "se_pp")
    n_seeds = np.maximum(np.nan_to_num(_column(rows, "n_seeds"), nan=1.0), 1.0)
    n_items = _column(rows, "n_items") / n_seeds
    extra = rows["run_variance"].to_numpy() / n_seeds
    adjusted = paired_bounds(delta, se, n_items, n_seeds=n_seeds, extra_variance=extra)
    tail = 1.0 - settings.confidence
    low, high = adjusted.bounds(tail / 2.0)
    verdict = verdicts(*adjusted.bounds(tail), settings.harm_limit_pp)
    distance = adjusted.centre_pp + settings.harm_limit_pp
    sd = adjusted.se_pp / 100.0 * np.sqrt(n_items)
    return _with(
        rows,
        noise_se_pp=adjusted.se_pp,
        null_se_pp=np.sqrt(null_se_pp(delta, se, n_items) ** 2 + extra),
        half_step_pp=50.0 / _column(rows, "n_items"),
        low_pp=low,
        high_pp=high,
        items_to_decide=np.where(verdict == "undecided", items_to_decide(sd, distance, tail=tail), np.nan),
    ).with_columns(verdict=pl.Series(verdict), se_kind=pl.lit(FROM_ITEMS))


def _plain(rows: pl.DataFrame, se: Reals, kind: str, settings: AnalysisSettings) -> pl.DataFrame:
    delta = rows["delta_pp"].to_numpy()
    tail = 1.0 - settings.confidence
    measured = _with(
        rows,
        noise_se_pp=se,
        null_se_pp=se,
        half_step_pp=50.0 / _column(rows, "n_items"),
        low_pp=delta + _normal(tail / 2) * se,
        high_pp=delta - _normal(tail / 2) * se,
        items_to_decide=np.full(rows.height, np.nan),
    )
    verdict = verdicts(delta + _normal(tail) * se, delta - _normal(tail) * se, settings.harm_limit_pp)
    given = pl.Series(verdict) if kind == FROM_SEEDS else pl.lit(None, dtype=pl.String)
    named = kind if np.isfinite(se).any() else UNKNOWN
    return measured.with_columns(verdict=given, se_kind=pl.lit(named))


def _normal(tail: float) -> float:
    return float(ndtri(tail))


def _with(rows: pl.DataFrame, **columns: Reals) -> pl.DataFrame:
    return rows.with_columns(pl.Series(name, values, nan_to_null=True) for name, values in columns.items())
