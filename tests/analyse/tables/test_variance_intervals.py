"""Intervals of the model with interactions, by its bootstrap: known truth, a component at zero, refits that fail."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from donorgrid.analyse import AnalysisSettings
from donorgrid.analyse.reading.arms import judged
from donorgrid.analyse.reading.factors import FITS, factors_of
from donorgrid.analyse.tables.variance import RESIDUAL, variance_tables
from donorgrid.core.errors import InputError
from donorgrid.simulate import SimulationSettings, simulate_tables
from donorgrid.statistics.mixed_models import shares
from donorgrid.statistics.mixed_models.design import make_design
from donorgrid.statistics.mixed_models.reml import fit
from donorgrid.statistics.mixed_models.shares import share_intervals

RICH = "crossed+interactions"
SPREAD = {"model": 1.0, "source": 0.8, "target": 1.2, "model:source": 0.9, "model:target": 1.1, "cell": 1.0}
GRID = SimulationSettings(
    n_models=4,
    tasks=("a", "b"),
    languages=("de", "en", "hi"),
    n_items=400,
    train_seeds=(1, 2),
    spread_pp=SPREAD,
    flip_rate=0.02,
)
N_GRIDS = 30


def transfer(seed, **changes):
    simulated = simulate_tables(replace(GRID, seed=seed, **changes))
    return judged(simulated.deltas.filter(pl.col("regime") != "MT-ML"), AnalysisSettings())


def true_shares():
    """The residual holds the cells' own effects and the noise of 2 x 400 items."""
    variance = {name: spread**2 for name, spread in SPREAD.items() if name != "cell"}
    variance[RESIDUAL] = SPREAD["cell"] ** 2 + 1e4 * GRID.flip_rate / (GRID.n_items * len(GRID.train_seeds))
    return {name: part / sum(variance.values()) for name, part in variance.items()}


def test_the_intervals_hold_the_true_shares():
    """Shares of four models, six sources and six targets: 95% intervals, averaged over components and grids."""
    truth, hits = true_shares(), []
    for seed in range(N_GRIDS):
        rows = transfer(seed)
        design = make_design(factors_of(rows, FITS[RICH]).usable)
        fitted = fit(design, rows["delta_pp"].to_numpy())
        intervals = share_intervals(design, fitted, n_refits=39, rng=np.random.default_rng(seed))
        assert intervals.n_failed == 0
        true = np.array([truth[name] for name in (*fitted.names, RESIDUAL)])
        known = ~np.isnan(intervals.high)
        hits.append(np.where(known, (intervals.low <= true) & (true <= intervals.high), np.nan))
    assert 0.89 <= np.nanmean(hits) <= 0.985
    assert (np.nanmean(hits, axis=0) >= 0.80).all()


def lines(rows, **changes):
    settings = AnalysisSettings(n_bootstrap=0, n_permutations=0, n_splits=0, **changes)
    table, _ = variance_tables(rows, settings, fits=(RICH,))
    return table.filter(pl.col("scope") == "transfer").rows_by_key("component", named=True, unique=True)


def first_grid(wanted, **changes):
    """The rows of the first grid for whose fit ``wanted`` is true."""
    grids = (transfer(seed, **changes) for seed in range(20))
    return next(rows for rows in grids if wanted(lines(rows)))


def all_estimated(components):
    return all(line["share"] > 0 for line in components.values())


def without(component):
    return {name: spread for name, spread in SPREAD.items() if name != component}


def test_there_are_as_many_refits_as_requested_and_none_by_default():
    rows = first_grid(all_estimated)
    plain, requested = lines(rows), lines(rows, n_rich_bootstrap=30)
    assert {line["n_refits"] for line in plain.values()} == {0}
    assert all(line["share_low"] is None and line["share_high"] is None for line in plain.values())
    assert {line["n_refits"] for line in requested.values()} == {30}
    for line in requested.values():
        assert line["converged"]
        assert line["status"] == "estimated"
        assert 0 < line["share_low"] < line["share"] < line["share_high"] < 1


def test_a_component_without_spread_is_at_zero_and_has_an_upper_end():
    rows = first_grid(lambda components: components["model:source"]["share"] == 0, spread_pp=without("model:source"))
    line = lines(rows, n_rich_bootstrap=30)["model:source"]
    assert line["status"] == "at zero"
    assert line["share_low"] == 0.0
    assert 0.0 < line["share_high"] < 0.2
    assert line["n_refits"] == 30


def failing(every):
    """``refit_shares`` with one failure in every ``every`` refits."""
    real = shares.refit_shares

    def sometimes(*given, **named):
        refitted = real(*given, **named)
        refitted[every - 1 :: every] = np.nan
        return refitted

    return sometimes


def undefined(*_given, **_named):
    raise InputError("mixed model: the likelihood is not defined")


@pytest.mark.parametrize(("every", "done"), [(3, 20), (1, 0)])
def test_refits_that_fail_are_counted_and_left_out(monkeypatch, every, done):
    rows = first_grid(all_estimated)
    monkeypatch.setattr(shares, "refit_shares", failing(every))
    components = lines(rows, n_rich_bootstrap=30)
    assert {line["n_refits"] for line in components.values()} == {done}
    known = [line["share_low"] is not None and line["share_high"] is not None for line in components.values()]
    assert all(known) if done else not any(known)


def test_a_profile_that_fails_leaves_the_upper_end_empty(monkeypatch):
    rows = first_grid(lambda components: components["model"]["share"] == 0, spread_pp=without("model"))
    monkeypatch.setattr(shares, "fit_moments", undefined)
    line = lines(rows, n_rich_bootstrap=30)["model"]
    assert (line["status"], line["share_high"]) == ("at zero", None)
