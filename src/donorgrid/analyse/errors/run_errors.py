"""The variance between training runs, and the runs' deviations, beyond what items explain."""

import numpy as np
import polars as pl

from donorgrid.analyse.reading.paired_differences import ArmDifferences
from donorgrid.core.arrays import Ints, Reals
from donorgrid.core.tables.declaring import ARM
from donorgrid.statistics.errors.resampling import unexplained_scale
from donorgrid.statistics.errors.run_variance import excess_run_variance

POOL = ["model", "target_task"]
"""Within these the variance between runs is taken as one: single cells have too few runs."""
_CELL = ["source_name", "target_task", "target_language"]


def run_variances(cells: pl.DataFrame, by_seed: pl.DataFrame | None) -> pl.DataFrame:
    """The variance between training runs beyond what items explain, averaged over the cells of a pool.

    Parameters
    ----------
    cells : DataFrame
        Cells of one arm, seeds pooled.
    by_seed : DataFrame or None
        DELTAS_BY_SEED rows, of this arm and others.

    Returns
    -------
    DataFrame
        ``POOL`` and run_variance (squared pp): at least zero, and zero where a single seed leaves it unknown.
    """
    columns = {"se_pp", "delta_pp"}
    if by_seed is None or not columns <= set(by_seed.columns) or "se_pp" not in cells.columns:
        return cells.select(POOL).unique().with_columns(run_variance=pl.lit(0.0))
    arm = [name for name in ARM if name in by_seed.columns and name in cells.columns]
    key = ["model", *_CELL, *arm]
    seeds = by_seed.join(cells.select(arm).unique(), on=arm, nulls_equal=True)
    spread = seeds.group_by(key).agg(
        between=pl.col("delta_pp").var(), single=(pl.col("se_pp") ** 2).mean(), n=pl.len().cast(pl.Float64)
    )
    several = cells.join(spread.filter(pl.col("n") > 1), on=key, nulls_equal=True, maintain_order="left")
    numbers = several.select("between", "single", "n", pooled=pl.col("se_pp") ** 2).fill_null(np.nan)
    between, single, n_seeds, pooled = (numbers[name].to_numpy() for name in ("between", "single", "n", "pooled"))
    excess = pl.Series("excess", excess_run_variance(between, single, pooled, n_seeds), nan_to_null=True)
    pools = several.with_columns(excess).group_by(POOL, maintain_order=True).agg(run_variance=pl.col("excess").mean())
    return (
        cells.select(POOL)
        .unique(maintain_order=True)
        .join(pools, on=POOL, how="left", maintain_order="left")
        .with_columns(pl.col("run_variance").fill_null(0.0).clip(lower_bound=0.0))
    )


def run_deviations(paired: ArmDifferences, by_seed: pl.DataFrame | None, variances: pl.DataFrame) -> Reals:
    """Each run's delta less the mean over runs, scaled to the part that items do not explain.

    Parameters
    ----------
    paired : ArmDifferences
        The cells of one model.
    by_seed : DataFrame or None
        DELTAS_BY_SEED rows of the arm.
    variances : DataFrame
        As ``run_variances`` returns them.

    Returns
    -------
    ndarray
        Percentage points, shape ``(n_runs, n_sources, n_targets)``; no runs without ``by_seed``.
    """
    shape = (len(paired.source_names), len(paired.target_tasks))
    if by_seed is None:
        return np.empty((0, *shape))
    of_model = by_seed.filter(pl.col("model") == paired.model)
    runs = of_model.select("train_seed", "data_seed").unique(maintain_order=True).with_row_index("run")
    located = of_model.join(runs, on=["train_seed", "data_seed"]).join(_positions(paired), on=_CELL)
    deltas = np.full((runs.height, *shape), np.nan)
    deltas[tuple(located[name].to_numpy() for name in ("run", "row", "column"))] = located["delta_pp"].to_numpy()
    if runs.height < 2:
        return np.zeros((1, *shape))
    n_runs = (~np.isnan(deltas)).sum(axis=0)
    centred = deltas - np.nansum(deltas, axis=0) / np.maximum(n_runs, 1)
    return np.asarray(np.nan_to_num(centred) * _scale(paired, centred, n_runs, variances))


def _positions(paired: ArmDifferences) -> pl.DataFrame:
    """Row and column of each cell."""
    rows = pl.DataFrame({"source_name": paired.source_names}).with_row_index("row")
    columns = pl.DataFrame({"target_task": paired.target_tasks, "target_language": paired.target_languages})
    return rows.join(columns.with_row_index("column"), how="cross")


def _scale(paired: ArmDifferences, centred: Reals, n_runs: Ints, variances: pl.DataFrame) -> Reals:
    """The scale of each target's deviations, one per target task, shape ``(n_targets,)``."""
    of_model = variances.filter(pl.col("model") == paired.model).select("target_task", "run_variance")
    excess = dict(of_model.iter_rows())
    tasks, scale = np.array(paired.target_tasks), np.zeros(len(paired.target_tasks))
    for task in sorted(set(paired.target_tasks)):
        columns = tasks == task
        squares = np.nansum(centred[:, :, columns] ** 2, axis=0)
        degrees = np.maximum(n_runs[:, columns] - 1, 0).sum()
        scale[columns] = unexplained_scale(float(squares.sum()), float(degrees), excess.get(task, 0.0))
    return scale
