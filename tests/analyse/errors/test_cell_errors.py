"""The noise of a cell, from frames that are small enough to compute by hand."""

import numpy as np
import polars as pl
import pytest

from donorgrid.analyse import AnalysisSettings
from donorgrid.analyse.errors.cell_errors import with_uncertainty
from donorgrid.analyse.errors.run_errors import run_variances
from donorgrid.core.tables.declaring import ARM

KEY = {"model": "m0", "source_name": "alpha/de", "target_task": "beta", "target_language": "de"}
N_SEEDS, N_ITEMS = 4, 500
DELTAS = (3.0, -1.0, 2.0, 0.0)
SINGLE_SE, POOLED_SE = 0.5, 0.3


def cell() -> pl.DataFrame:
    """One cell of four seeds, with the error of its pooled items."""
    row = {**KEY, "n_seeds": N_SEEDS, "n_items": N_ITEMS * N_SEEDS, "delta_pp": float(np.mean(DELTAS))}
    arm = {name: pl.lit(None, dtype=kind) for name, kind in ARM.items()}
    return pl.DataFrame([row | {"se_pp": POOLED_SE}]).with_columns(**arm)


def seeds() -> pl.DataFrame:
    rows = [{**KEY, "train_seed": seed, "delta_pp": delta, "se_pp": SINGLE_SE} for seed, delta in enumerate(DELTAS)]
    return pl.DataFrame(rows).with_columns(**{name: pl.lit(None, dtype=kind) for name, kind in ARM.items()})


def test_the_run_variance_is_what_the_seeds_scatter_beyond_their_items() -> None:
    by_items = N_SEEDS / (N_SEEDS - 1) * (SINGLE_SE**2 - POOLED_SE**2)
    expected = float(np.var(DELTAS, ddof=1)) - by_items
    assert run_variances(cell(), seeds())["run_variance"].item() == pytest.approx(expected)


def test_a_mean_over_seeds_holds_the_run_variance_over_their_number() -> None:
    settings = AnalysisSettings()
    without = with_uncertainty(cell(), settings)["noise_se_pp"].item()
    found = with_uncertainty(cell(), settings, by_seed=seeds())
    run_variance = run_variances(cell(), seeds())["run_variance"].item()
    assert found["noise_se_pp"].item() ** 2 - without**2 == pytest.approx(run_variance / N_SEEDS)
    null_without = with_uncertainty(cell(), settings)["null_se_pp"].item()
    assert found["null_se_pp"].item() ** 2 - null_without**2 == pytest.approx(run_variance / N_SEEDS)
