"""Dropping 30% of the cells moves no estimate out of its 99% interval more often than it should."""

from dataclasses import replace

import numpy as np
import polars as pl

from donorgrid.analyse import AnalysisSettings, analyse
from donorgrid.analyse.reading.arms import judged
from donorgrid.analyse.reading.factors import CROSSED, FITS, factors_of
from donorgrid.analyse.tables.regimes import regimes_table
from donorgrid.analyse.tables.roles import roles_language, roles_task
from donorgrid.simulate import SimulationSettings, simulate_tables
from donorgrid.statistics.mixed_models.design import make_design
from donorgrid.statistics.mixed_models.reml import fit
from donorgrid.statistics.mixed_models.shares import share_intervals
from donorgrid.statistics.mixed_models.simulated import residual_degrees

GRID = SimulationSettings(
    n_models=6,
    tasks=("a", "b", "c"),
    languages=("de", "en", "hi", "zh"),
    n_items=200,
    spread_pp={"model": 1.0, "source": 0.8, "target": 1.2, "cell": 1.0},
)
WIDE = AnalysisSettings(confidence=0.99, n_bootstrap=0, n_permutations=0, n_splits=0)
N_GRIDS = 25


def with_and_without_dropped_cells(seed):
    """(all cells, 70% of them) of one grid, judged."""
    whole = judged(simulate_tables(replace(GRID, seed=seed)).deltas, WIDE)
    return whole, whole.filter(pl.Series(np.random.default_rng(seed).random(whole.height) < 0.7))


def n_outside_intervals(whole, part, key, columns):
    """How many values of the whole grid lie outside the intervals of the part, and how many there are."""
    value, low, high = columns
    both = part.join(whole.select(key, truth=value), on=key)
    held = both.select((pl.col(low) <= pl.col("truth")) & (pl.col("truth") <= pl.col(high))).to_series()
    return int((~held).sum()), held.len()


def test_means_and_roles_stay_within_their_intervals():
    counts = []
    for seed in range(N_GRIDS):
        whole, part = with_and_without_dropped_cells(seed)
        tables = [(regimes_table, "regime", ("mean_pp", "mean_low_pp", "mean_high_pp"))]
        for role in ("donor", "recipient"):
            columns = (f"{role}_pp", f"{role}_low_pp", f"{role}_high_pp")
            tables += [(roles_language, "language", columns), (roles_task, "task", columns)]
        counts += [
            n_outside_intervals(table(whole, WIDE), table(part, WIDE), key, columns) for table, key, columns in tables
        ]
    n_outside, n = np.sum(counts, axis=0)
    assert n == N_GRIDS * (5 + 2 * 4 + 2 * 3)
    # The estimates share 70% of their cells: far fewer than 1% should lie outside.
    assert n_outside / n <= 0.01


def test_shares_stay_within_their_intervals():
    n_outside = 0
    for seed in range(N_GRIDS):
        whole, part = ((rows.filter(pl.col("regime") != "MT-ML")) for rows in with_and_without_dropped_cells(seed))
        (_, reference, _), (design, fitted, y) = fit_of(whole), fit_of(part)
        interval = share_intervals(
            design, fitted, n_refits=99, rng=np.random.default_rng(seed), confidence=0.99,
            tail_degrees=residual_degrees(design, fitted, y),
        )  # fmt: skip
        truth = dict(zip((*reference.names, "residual"), reference.shares, strict=True))
        ordered = np.array([truth[name] for name in (*fitted.names, "residual")])
        n_outside += int(((ordered < interval.low) | (ordered > interval.high)).sum())
    assert n_outside <= 2


def fit_of(rows):
    design = make_design(factors_of(rows, FITS[CROSSED]).usable)
    y = rows["delta_pp"].to_numpy()
    return design, fit(design, y), y


def test_a_language_a_model_or_a_regime_may_be_absent_from_a_simulated_grid():
    simulated = simulate_tables(replace(GRID, n_models=2, holes=0.3))
    quick = replace(WIDE, n_language_permutations=9)
    for absent in (
        pl.col("model") == "sim-1",
        (pl.col("source_language") == "hi") | (pl.col("target_language") == "hi"),
        pl.col("regime") == "CT-ML",
        pl.col("regime") == "MT-CL",
    ):
        kept = simulated.deltas.filter(~absent)
        tables = analyse(kept, by_seed=simulated.by_seed, settings=quick)
        assert tables["cells"].height == kept.height
        assert tables["coverage"].row(0, named=True)["n_found"] == kept.height
