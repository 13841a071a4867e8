"""One prior for all transfer regimes, or one each; and what becomes of cells whose noise is not known."""

import numpy as np
import polars as pl
import pytest

from donorgrid.analyse import AnalysisSettings
from donorgrid.analyse.errors.cell_errors import with_uncertainty
from donorgrid.analyse.errors.posteriors import COLUMNS, with_posteriors
from donorgrid.analyse.reading.arms import judged
from donorgrid.simulate import SimulationSettings, simulate_tables

SETTINGS = AnalysisSettings(n_bootstrap=0, n_permutations=0)
GRID = SimulationSettings(
    n_models=2,
    tasks=("a", "b", "c"),
    languages=("de", "en", "hi", "zh"),
    n_items=400,
    spread_pp={"source": 0.8, "target": 1.2, "cell": 1.0},
)


def cells():
    made = simulate_tables(GRID)
    return with_uncertainty(judged(made.deltas, SETTINGS), SETTINGS, by_seed=made.by_seed)


def test_regimes_that_are_alike_have_one_prior_and_unlike_ones_have_their_own():
    alike = with_posteriors(cells(), {}, SETTINGS)
    spreads = alike.filter(pl.col("regime") != "MT-ML")["prior_sd_pp"].unique()
    assert spreads.len() == 1
    assert spreads[0] == pytest.approx(1.0, abs=0.2)
    wider = pl.when(pl.col("regime") == "CT-CL").then(8.0).otherwise(1.0)
    unlike = with_posteriors(cells().with_columns(pl.col("delta_pp") * wider), {}, SETTINGS)
    per_regime = dict(unlike.group_by("regime").agg(pl.col("prior_sd_pp").first()).iter_rows())
    assert per_regime["CT-CL"] == pytest.approx(8.0, rel=0.2)
    assert per_regime["MT-CL"] < 1.5


def test_the_trained_cells_do_not_move_the_others():
    moved = pl.when(pl.col("regime") == "MT-ML").then(20.0).otherwise(0.0)
    key = pl.col("regime") != "MT-ML"
    plain = with_posteriors(cells(), {}, SETTINGS).filter(key)
    other = with_posteriors(cells().with_columns(pl.col("delta_pp") + moved), {}, SETTINGS).filter(key)
    assert plain.select(COLUMNS).equals(other.select(COLUMNS))


def test_cells_without_known_noise_have_no_posterior_and_the_rest_has():
    rows = cells()
    unknown = rows.with_columns(
        noise_se_pp=pl.when(pl.col("target_task") == "b").then(None).otherwise(pl.col("noise_se_pp"))
    )
    found = with_posteriors(unknown, {}, SETTINGS)
    assert found.select(rows.columns).equals(unknown)
    empty = found.filter(pl.col("target_task") == "b").select(COLUMNS)
    assert all(column.null_count() == empty.height > 0 for column in empty)
    rest = found.filter(pl.col("target_task") != "b").select(COLUMNS)
    assert all(column.null_count() == 0 for column in rest)
    nothing = with_posteriors(rows.with_columns(noise_se_pp=pl.lit(None, dtype=pl.Float64)), {}, SETTINGS)
    assert nothing["eb_mean_pp"].null_count() == rows.height


def test_a_regime_of_two_cells_is_too_small_and_all_together_are_not():
    rows = cells().sort("regime", maintain_order=True)
    few = rows.group_by("regime", maintain_order=True).head(2)
    found = with_posteriors(few, {}, SETTINGS)
    assert found.filter(pl.col("regime") == "MT-ML")["eb_mean_pp"].null_count() == 2
    assert np.isfinite(found.filter(pl.col("regime") != "MT-ML")["eb_mean_pp"].to_numpy()).all()
