"""Clustered resampling: golden variances, coverage, and what it can and cannot know."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from answer_grids import LANGUAGES, TASKS, item_frame, run_of
from scipy.stats import t as student

from donorgrid.analyse import AnalysisSettings, AnsweredRun, deltas, deltas_by_seed, pair_answers
from donorgrid.analyse.errors.item_errors import with_regime_errors
from donorgrid.analyse.errors.resampling import model_weights
from donorgrid.analyse.errors.run_errors import run_deviations
from donorgrid.analyse.reading.arms import Arm, arms, judged
from donorgrid.analyse.reading.paired_differences import differences_of
from donorgrid.analyse.tables.intervals import intervals_table
from donorgrid.analyse.tables.regimes import regimes_table
from donorgrid.core.records import Baseline
from donorgrid.simulate import SimulationSettings, simulate_answers, true_deltas

SETTINGS = AnalysisSettings(n_bootstrap=400)
ARM = Arm("lora", None)


def paired(settings):
    found = {}
    for subject, frame in simulate_answers(settings):
        if isinstance(subject, Baseline):
            found[subject.model] = (frame, [])
        else:
            run = AnsweredRun(model=subject.model, recipe="lora", source=subject.source, train_seed=subject.train_seed)
            found[subject.model][1].append((run, frame))
    return [pair_answers(*one) for one in found.values()]


def intervals_of(answers, settings=SETTINGS):
    by_seed = pl.concat([deltas_by_seed(one, metric="acc_norm") for one in answers])
    ((_, pooled),) = arms(pl.concat([deltas(one, metric="acc_norm") for one in answers]))
    own = differences_of(answers, ARM, metric="acc_norm")
    return intervals_table(judged(pooled, settings), own, settings, by_seed=by_seed)


def row_of(table, kind, name, statistic="mean_pp"):
    return table.filter(kind=kind, name=name, statistic=statistic).row(0, named=True)


SMALL = SimulationSettings(n_models=1, tasks=("a", "b"), languages=("de", "en", "it"), n_items=200, train_seeds=(1,))


def test_for_one_model_and_seed_the_interval_is_that_of_the_item_error():
    answers = paired(replace(SMALL, flip_rate=0.1, cell_correlation=0.3))
    table = intervals_of(answers, replace(SETTINGS, n_bootstrap=4000))
    own = differences_of(answers, ARM, metric="acc_norm")
    cells = judged(deltas(answers[0], metric="acc_norm"), SETTINGS)
    regimes = with_regime_errors(regimes_table(cells, SETTINGS), own)
    for name in ("MT-CL", "CT-CL", "transfer"):
        found = row_of(table, "regime", name)
        known = regimes.filter(pl.col("regime") == name).row(0, named=True)
        assert found["value"] == pytest.approx(known["mean_pp"], abs=1e-6)
        rate = row_of(table, "regime", name, "harm_rate")
        assert rate["value"] == pytest.approx(known["harm_rate"], abs=1e-12)
        assert (found["high"] - found["low"]) / 2 == pytest.approx(1.96 * known["mean_noise_se_pp"], rel=0.06)
        assert found["resampled"] == "seeds, items"


def test_intervals_of_the_mean_cover_the_truth():
    """One model, three seeds, runs that differ: the regime's mean over 60 grids."""
    inside = {"MT-CL": 0, "transfer": 0}
    settings = replace(SETTINGS, n_bootstrap=200)
    n_grids = 60
    for seed in range(n_grids):
        grid = replace(
            SMALL, n_items=60, train_seeds=(1, 2, 3), spread_pp={"source": 1.0}, run_sd_pp=2.0, flip_rate=0.1, seed=seed
        )
        table = intervals_of(paired(grid), settings)
        truth = true_deltas(grid).filter(pl.col("regime") != "MT-ML")
        for name in inside:
            part = truth if name == "transfer" else truth.filter(pl.col("regime") == name)
            found = row_of(table, "regime", name)
            inside[name] += found["low"] <= part["true_pp"].mean() <= found["high"]
    # A true coverage of 95% gives at least 51 of 60 in 999 of 1,000 cases.
    assert min(inside.values()) >= 51


def two_by_six(settings):
    """Answers of two sources on six targets."""
    answers = paired(settings)[0]
    names = [run.source.name for run in answers.runs]
    rows = np.array([name in dict.fromkeys(names[:1] + names[-1:]) for name in names])
    kept = tuple(run for run, row in zip(answers.runs, rows, strict=True) if row)
    masked = {name: getattr(answers, name)[rows] for name in ("right", "right_norm", "extra")}
    return replace(answers, runs=kept, **masked)


def test_no_interval_contradicts_its_value_however_small_the_grid():
    """Rates of 0 and 1, cells in which nothing flips, and cells that lose nearly everything."""
    settings = replace(SETTINGS, n_bootstrap=60)
    rng = np.random.default_rng(0)
    rates = []
    for seed in range(40):
        grid = replace(
            SMALL,
            n_items=int(rng.choice([5, 20, 50])),
            flip_rate=float(rng.choice([0.0, 0.01, 0.05, 0.3])),
            mean_pp=float(rng.choice([-40.0, -3.0, 0.0, 3.0, 40.0])),
            spread_pp={"cell": float(rng.choice([0.0, 2.0, 20.0]))},
            seed=seed,
        )
        table = intervals_of([two_by_six(grid)], settings)
        ends = table.select(
            held=(pl.col("low") <= pl.col("value")) & (pl.col("value") <= pl.col("high")),
            wide=pl.col("low") < pl.col("high"),
            inside=pl.when(pl.col("statistic") == "mean_pp")
            .then(pl.col("low").ge(-100.0) & pl.col("high").le(100.0))
            .otherwise(pl.col("low").ge(0.0) & pl.col("high").le(1.0)),
        )
        assert ends.select(pl.all().all()).row(0) == (True, True, True)
        rates += table.filter(pl.col("statistic") == "harm_rate")["value"].to_list()
    assert {0.0, 1.0} <= set(rates)


def test_models_are_resampled_from_three_on():
    two, three = (paired(replace(SMALL, n_models=n, spread_pp={"model": 3.0})) for n in (2, 3))
    assert row_of(intervals_of(two), "regime", "transfer")["resampled"] == "seeds, items"
    found = row_of(intervals_of(three), "regime", "transfer")
    assert found["resampled"] == "models, seeds, items"
    assert found["n_models"] == 3
    cells = pl.concat([deltas(one, metric="acc_norm") for one in three]).filter(pl.col("regime") != "MT-ML")
    spread = cells.group_by("model").agg(pl.col("delta_pp").mean())["delta_pp"].std() / np.sqrt(3)
    assert (found["high"] - found["low"]) / 2 == pytest.approx(student.ppf(0.975, 2) * spread, rel=0.35)


def test_weights_of_models_have_the_spread_of_a_mean():
    weights = model_weights(4, replace(SETTINGS, n_bootstrap=20000))
    np.testing.assert_allclose(weights.sum(axis=1), 4.0)
    values = np.array([0.0, 1.0, 2.0, 5.0])
    assert np.std(weights @ values / 4) == pytest.approx(np.std(values, ddof=1) / 2, rel=0.03)


def test_runs_are_resampled_only_beyond_what_items_explain():
    rng = np.random.default_rng(1)
    size = len(TASKS) * len(LANGUAGES) * 300
    base = rng.random(size) < 0.5
    runs = [
        (run_of(task, language, train_seed=seed), item_frame(base ^ (rng.random(size) < 0.05)))
        for task in TASKS for language in LANGUAGES for seed in (1, 2)
    ]  # fmt: skip
    answers = pair_answers(item_frame(base), runs)
    (made,) = differences_of([answers], ARM, metric="acc_norm")
    by_seed = deltas_by_seed(answers, metric="acc_norm")
    nothing = pl.DataFrame({"model": ["m0"] * 2, "target_task": list(TASKS), "run_variance": [0.0, 0.0]})
    assert not run_deviations(made, by_seed, nothing).any()
    everything = nothing.with_columns(run_variance=pl.lit(1e6))
    found = run_deviations(made, by_seed, everything)
    assert found.shape == (2, 6, 6)
    np.testing.assert_allclose(found.sum(axis=0), 0.0, atol=1e-12)
    plain = by_seed.filter(
        pl.col("source_name") == "alpha/de", pl.col("target_language") == "en", pl.col("target_task") == "beta"
    )
    half = (plain["delta_pp"][0] - plain["delta_pp"][1]) / 2
    place = list(zip(made.target_tasks, made.target_languages, strict=True)).index(("beta", "en"))
    assert sorted(found[:, made.source_names.index("alpha/de"), place]) == pytest.approx(sorted((half, -half)))


def test_without_answers_or_draws_there_are_no_intervals():
    answers = paired(SMALL)
    assert intervals_of(answers, replace(SETTINGS, n_bootstrap=0)).height == 0
    cells = judged(deltas(answers[0], metric="acc_norm"), SETTINGS)
    assert intervals_table(cells, [], SETTINGS).height == 0
