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


def random_cells(rng: np.random.Generator, n: int = 400) -> pl.DataFrame:
    """Cells of one item up to five hundred, of deltas from -100 to 100, some of them degenerate."""
    n_items = rng.integers(2, 500, n)
    lost = rng.binomial(n_items, rng.choice([0.0, 0.01, 0.1, 0.6, 1.0], n))
    gained = rng.binomial(n_items - lost, rng.choice([0.0, 0.01, 0.1, 0.6, 1.0], n))
    delta = (gained - lost) / n_items
    squares = (gained + lost) - n_items * delta**2
    values = {
        "delta_pp": 100.0 * delta,
        "se_pp": 100.0 * np.sqrt(np.maximum(squares, 0.0) / (n_items * (n_items - 1))),
        "se_seed_pp": rng.choice([0.0, 0.5, 5.0], n),
        "n_items": n_items,
        "n_seeds": np.ones(n, dtype=np.int64),
        "degenerate": rng.random(n) < 0.3,
    }
    names = {name: pl.lit(value) for name, value in KEY.items()}
    arm = {name: pl.lit(None, dtype=kind) for name, kind in ARM.items()}
    return pl.DataFrame(values).with_columns(**names, **arm)


@pytest.mark.parametrize("dropped", [[], ["se_pp"]], ids=["items", "seeds"])
def test_no_verdict_contradicts_its_interval_or_its_p_value(dropped: list[str]) -> None:
    settings = AnalysisSettings()
    cells = with_uncertainty(random_cells(np.random.default_rng(4)).drop(dropped), settings)
    low, high, delta = (cells[name].to_numpy() for name in ("low_pp", "high_pp", "delta_pp"))
    assert ((low >= -100) & (low <= delta) & (delta <= high) & (high <= 100)).all()
    sound = ~cells["degenerate"].to_numpy()
    verdict = cells["verdict"].to_numpy()
    assert set(verdict[sound]) == {"safe", "harmed", "undecided"}
    assert ((verdict == "safe") == (sound & (low > -1.0))).all()
    assert ((verdict == "harmed") == (sound & (high < -1.0))).all()
    assert (set(verdict[~sound]), cells.filter("degenerate")["items_to_decide"].null_count()) == (
        {"undecided"},
        (~sound).sum(),
    )
    certain = np.array([name in ("safe", "harmed") for name in verdict])
    p_values = cells.select(pl.min_horizontal("p_value_harmed", "p_value_safe")).to_series().to_numpy()
    assert (p_values[certain] <= 0.05).all()
    assert (p_values[sound & ~certain] >= 0.05).all()


def test_an_assumed_noise_gives_no_verdict_and_no_p_value() -> None:
    cells = with_uncertainty(random_cells(np.random.default_rng(5)).drop("se_pp", "se_seed_pp"), AnalysisSettings())
    for name in ("verdict", "p_value_harmed", "p_value_safe"):
        assert cells[name].null_count() == cells.height
