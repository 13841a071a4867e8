"""Simulated grids say the truth that they were made with."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from donorgrid.analyse import (
    AnalysisSettings,
    AnsweredRun,
    analyse,
    deltas,
    deltas_by_seed,
    measured_noise,
    pair_answers,
)
from donorgrid.core.errors import InputError
from donorgrid.core.records import Baseline
from donorgrid.simulate import SimulationSettings, simulate_answers, simulate_tables, true_deltas

SMALL = SimulationSettings(n_models=2, tasks=("a", "b"), languages=("de", "en", "it"), n_items=50)
KEY = ["model", "source_name", "target_task", "target_language"]


def paired(settings):
    """One PairedAnswers per model."""
    found = {}
    for subject, frame in simulate_answers(settings):
        if isinstance(subject, Baseline):
            found[subject.model] = (frame, [])
        else:
            run = AnsweredRun(model=subject.model, recipe="lora", source=subject.source, train_seed=subject.train_seed)
            found[subject.model][1].append((run, frame))
    return [pair_answers(*one) for one in found.values()]


def test_the_truth_has_the_asked_components():
    spread = {"model": 1.0, "source": 2.0, "target": 3.0, "model:source": 0.5, "cell": 0.1}
    settings = SimulationSettings(n_models=40, tasks=("a", "b", "c", "d"), spread_pp=spread, mean_pp=0.7)
    truth = true_deltas(settings)
    assert truth.height == 40 * 24 * 24
    variance = truth["true_pp"].var()
    assert variance == pytest.approx(1 + 4 + 9 + 0.25 + 0.01, rel=0.35)
    by_target = truth.group_by("target_task", "target_language").agg(pl.col("true_pp").mean())
    assert by_target["true_pp"].std() == pytest.approx(3.0, rel=0.35)
    heavy = replace(settings, tail_degrees=4.0)
    ratio = true_deltas(heavy)["true_pp"].var() / variance
    assert 0.2 < ratio < 5
    assert not true_deltas(heavy).equals(truth)


def test_donors_harm_and_trained_cells_are_added_where_they_belong():
    settings = replace(SMALL, donors_pp={"a/en": 2.0}, harmed_pp={"b/it": -3.0}, trained_pp=5.0)
    rows = {(r["source_name"], f"{r['target_task']}/{r['target_language']}"): r["true_pp"]
            for r in true_deltas(settings).iter_rows(named=True)}  # fmt: skip
    assert rows["a/en", "b/it"] == -1.0
    assert rows["a/en", "a/de"] == 2.0
    assert rows["b/de", "b/it"] == -3.0
    assert rows["b/it", "b/it"] == rows["a/en", "a/en"] == 5.0
    assert rows["b/de", "a/de"] == 0.0


def test_both_levels_average_to_the_truth_and_their_errors_hold():
    settings = replace(
        SMALL, n_items=2000, train_seeds=(1, 2), spread_pp={"source": 1.0, "target": 2.0}, mean_pp=1.0, flip_rate=0.1
    )
    tables = simulate_tables(settings)
    answers = pl.concat([deltas(one, metric="acc_norm") for one in paired(settings)])
    truth = true_deltas(settings).select(*KEY, "true_pp")
    for found in (tables.deltas, answers):
        both = found.join(truth, on=KEY, how="left")
        z = ((both["delta_pp"] - both["true_pp"]) / both["se_pp"]).to_numpy()
        assert len(z) == 72
        assert np.sqrt(np.mean(z**2)) == pytest.approx(1.0, abs=0.3)
    assert tables.truth["true_pp"].to_list() == truth["true_pp"].to_list()


def test_a_simulated_study_is_analysed_to_the_end():
    settings = replace(SMALL, n_items=40, donors_pp={"a/en": 8.0})
    answers = paired(settings)
    pooled = pl.concat([deltas(one, metric="acc_norm") for one in answers])
    by_seed = pl.concat([deltas_by_seed(one, metric="acc_norm") for one in answers])
    quick = AnalysisSettings(n_bootstrap=0, n_permutations=0, n_splits=20)
    tables = analyse(pooled, by_seed=by_seed, answers=answers, settings=quick)
    first = tables["sources"].row(0, named=True)
    assert (first["source_task"], first["source_language"]) == ("a", "en")
    noise = measured_noise(pooled, by_seed, regimes=tables["regimes"])
    assert noise.origin == "measured"
    assert noise.flip_rate == pytest.approx(0.06, abs=0.03)


def test_measured_noise_finds_the_flip_rate_and_whether_seeds_go_together():
    apart = replace(SMALL, n_items=400, flip_rate=0.08, seed_correlation=0.0, cell_correlation=0.0)
    together = replace(apart, seed_correlation=0.9)
    # A right answer can only be lost: the shared baseline alone correlates seeds by the flip rate.
    for settings, low, high in ((apart, 0.04, 0.12), (together, 0.4, 1.0)):
        answers = paired(settings)
        pooled = pl.concat([deltas(one, metric="acc_norm") for one in answers])
        by_seed = pl.concat([deltas_by_seed(one, metric="acc_norm") for one in answers])
        noise = measured_noise(pooled, by_seed)
        assert noise.flip_rate == pytest.approx(0.08, abs=0.01)
        assert low <= noise.seed_correlation <= high
    with pytest.raises(InputError, match="flip rate must be assumed"):
        measured_noise(pooled.drop("se_pp"))


def test_the_same_seed_gives_the_same_grid():
    first, second = simulate_tables(SMALL), simulate_tables(SMALL)
    assert first.deltas.equals(second.deltas)
    assert not first.deltas.equals(simulate_tables(replace(SMALL, seed=1)).deltas)
    for (a, one), (b, other) in zip(simulate_answers(SMALL), simulate_answers(SMALL), strict=True):
        assert a == b
        assert one.equals(other)


def test_holes_are_left_out():
    settings = replace(SMALL, holes=0.3, n_models=4)
    tables = simulate_tables(settings)
    assert tables.deltas.height == tables.truth.height
    assert tables.deltas.height / (4 * 36) == pytest.approx(0.7, abs=0.15)
    measured = pl.concat([deltas(one, metric="acc_norm") for one in paired(settings)])
    assert measured.height < 4 * 36


@pytest.mark.parametrize(
    "bad",
    [
        {"spread_pp": {"modle": 1.0}},
        {"donors_pp": {"a/xx": 1.0}},
        {"flip_rates": {"c": 0.1}},
        {"flip_rate": 1.0},
        {"cell_correlation": 0.5},
        {"spread_pp": {"model": -1.0}},
        {"tail_degrees": 2.0},
        {"n_items": 0},
        {"n_choices": 1},
    ],
)
def test_impossible_settings_are_refused(bad):
    with pytest.raises(InputError, match="simulation"):
        replace(SMALL, **bad)
