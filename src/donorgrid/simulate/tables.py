"""Table-level grids: counts of right answers from independent items, with the errors that items would give."""

from dataclasses import dataclass

import numpy as np
import polars as pl

from donorgrid.core.arrays import Ints, Reals
from donorgrid.core.tables import DELTAS, DELTAS_BY_SEED
from donorgrid.simulate.settings import SimulationSettings
from donorgrid.simulate.truth import STREAM_TABLE, true_deltas


@dataclass(frozen=True, kw_only=True)
class SimulatedTables:
    """``deltas`` (DELTAS), ``by_seed`` (DELTAS_BY_SEED), and ``truth``: the true delta of every row of ``deltas``."""

    deltas: pl.DataFrame
    by_seed: pl.DataFrame
    truth: pl.DataFrame


def simulate_tables(settings: SimulationSettings) -> SimulatedTables:
    """Draw every cell's counts: items gained and lost are multinomial, each seed on its own.

    Items are independent between cells and seeds: both correlations of the settings play no part here. The baseline's
    count is drawn once per (model, target) and shared by all its sources, though the deltas do not depend on it.
    """
    truth = true_deltas(settings)
    rng = np.random.default_rng([settings.seed, STREAM_TABLE])
    base = _baseline(truth, settings, rng)
    flips = truth["target_task"].replace_strict(
        {task: settings.flip_rate_of(task) for task in settings.tasks}, return_dtype=pl.Float64
    )
    seeds = [
        _of_seed(truth, train_seed, base, flips.to_numpy(), settings=settings, rng=rng)
        for train_seed in settings.train_seeds
    ]
    kept = rng.random(truth.height) >= settings.holes
    by_seed = pl.concat([frame.filter(pl.Series(kept)) for frame in seeds])
    truth = truth.filter(pl.Series(kept))
    return SimulatedTables(deltas=DELTAS.check(_pooled(by_seed)), by_seed=DELTAS_BY_SEED.check(by_seed), truth=truth)


def gained_and_lost(shift: Reals, flip_rate: Reals, n_items: int, rng: np.random.Generator) -> tuple[Ints, Ints]:
    """Draw items gained and lost: shares (f + shift) / 2 and (f - shift) / 2, with f at least |shift|.

    Parameters
    ----------
    shift, flip_rate : ndarray
        True delta and flip rate f of each cell, as shares, shape ``(n_cells,)``.
    n_items : int
        Items of each cell.
    rng : numpy.random.Generator
        Source of the draws.

    Returns
    -------
    gained, lost : ndarray of int
        Shape ``(n_cells,)``.
    """
    rate = np.minimum(np.maximum(flip_rate, np.abs(shift)), 1.0)
    moved = rng.binomial(n_items, rate)
    up = rng.binomial(moved, np.where(rate > 0, (1.0 + shift / np.where(rate > 0, rate, 1.0)) / 2.0, 0.5))
    return up.astype(np.int64), (moved - up).astype(np.int64)


def _baseline(truth: pl.DataFrame, settings: SimulationSettings, rng: np.random.Generator) -> Ints:
    key = ["model", "target_task", "target_language"]
    targets = truth.select(key).unique(maintain_order=True)
    right = rng.binomial(settings.n_items, settings.base_score, targets.height)
    drawn = targets.with_columns(right=pl.Series(right.astype(np.int64)))
    return truth.join(drawn, on=key, how="left", maintain_order="left")["right"].to_numpy()


def _of_seed(
    truth: pl.DataFrame,
    train_seed: int,
    base: Ints,
    flips: Reals,
    *,
    settings: SimulationSettings,
    rng: np.random.Generator,
) -> pl.DataFrame:
    n = settings.n_items
    run = settings.run_sd_pp * rng.standard_normal(truth.height)
    shift = np.clip((truth["true_pp"].to_numpy() + run) / 100.0, -1.0, 1.0)
    up, down = gained_and_lost(shift, flips, n, rng)
    share = (up - down) / n
    squares = (up + down) - n * share**2
    se = 100.0 * np.sqrt(squares / (n * max(n - 1, 1))) if n > 1 else np.full(len(share), np.nan)
    right = base + up - down
    scores = {"score": right / n, "score_base": base / n, "score_norm": right / n, "score_norm_base": base / n}
    counts = {"n_right": right, "n_right_base": base, "n_right_norm": right, "n_right_norm_base": base}
    deltas = dict.fromkeys(("delta_acc_pp", "delta_acc_norm_pp", "delta_pp"), 100.0 * (up - down) / n)
    drawn = {name: pl.Series(values) for name, values in (counts | scores | deltas).items()}
    return truth.drop("true_pp").with_columns(
        recipe=pl.lit("simulated"),
        source_kind=pl.lit("cell"),
        data_seed=pl.lit(0, dtype=pl.Int64),
        train_size=pl.lit(None, dtype=pl.Int64),
        checkpoint=pl.lit(None, dtype=pl.Float64),
        strength=pl.lit(None, dtype=pl.Float64),
        train_seed=pl.lit(train_seed, dtype=pl.Int64),
        family=pl.lit("simulated"),
        n_items=pl.lit(n, dtype=pl.Int64),
        n_unpaired=pl.lit(0, dtype=pl.Int64),
        metric=pl.lit("acc_norm"),
        se_pp=pl.Series(se, nan_to_null=True),
        **drawn,
    )


def _pooled(by_seed: pl.DataFrame) -> pl.DataFrame:
    """Seeds pooled: counts summed, scores averaged, item variances of independent seeds averaged over their number."""
    counts = [name for name in by_seed.columns if name.startswith("n_")]
    means = [name for name in by_seed.columns if name.startswith(("score", "delta_"))]
    labels = [name for name in by_seed.columns if name not in {*counts, *means, "se_pp", "train_seed", *DELTAS.key}]
    return by_seed.group_by(DELTAS.key, maintain_order=True).agg(
        *(pl.col(name).first() for name in labels),
        *(pl.col(name).sum() for name in counts),
        *(pl.col(name).mean() for name in means),
        n_seeds=pl.len().cast(pl.Int64),
        se_pp=(pl.col("se_pp") ** 2).sum().sqrt() / pl.len(),
        se_seed_pp=pl.col("delta_pp").std() / pl.len().sqrt(),
    )
