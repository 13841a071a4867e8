"""Intervals of rates, group by group: those of the regimes, never against their value, on the page beside it."""

import re
from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from example_tables import Page, example_head

from donorgrid.analyse import (
    AnalysisSettings,
    AnsweredRun,
    PairedAnswers,
    analyse,
    deltas,
    deltas_by_seed,
    pair_answers,
)
from donorgrid.core.records import Baseline
from donorgrid.report import render_report
from donorgrid.simulate import SimulationSettings, simulate_answers

SETTINGS = AnalysisSettings(n_bootstrap=60, n_permutations=0, n_splits=5)
GRID = SimulationSettings(
    n_models=1, tasks=("a", "b"), languages=("de", "en", "it"), n_items=60, train_seeds=(1, 2), flip_rate=0.1
)
RATES = {
    "harm_breakdown": ("positive_rate", "harm_rate"),
    "pareto": ("off_task_harm_rate",),
    "noise": ("harm_rate",),
    "sources": ("harm_rate",),
}
VALUE = re.compile(r"([+−]?\d+\.\d+)(?: pp|%)? \(([+−]?\d+\.\d+)%? to ([+−]?\d+\.\d+)%?\)")


def answers_of(settings: SimulationSettings) -> list[PairedAnswers]:
    by_model: dict[str, tuple[pl.DataFrame, list[tuple[AnsweredRun, pl.DataFrame]]]] = {}
    for subject, frame in simulate_answers(settings):
        if isinstance(subject, Baseline):
            by_model[subject.model] = (frame, [])
        else:
            run = AnsweredRun(model=subject.model, recipe="lora", source=subject.source, train_seed=subject.train_seed)
            by_model[subject.model][1].append((run, frame))
    return [pair_answers(base, runs) for base, runs in by_model.values()]


def tables_of(settings: SimulationSettings) -> dict[str, pl.DataFrame]:
    answers = answers_of(settings)
    pooled, by_seed = (
        pl.concat([make(paired, metric="acc_norm") for paired in answers]) for make in (deltas, deltas_by_seed)
    )
    return {"deltas": pooled, **analyse(pooled, settings=SETTINGS, by_seed=by_seed, answers=answers)}


@pytest.fixture(scope="module", params=[1, 3], ids=["one model", "three models"])
def tables(request: pytest.FixtureRequest) -> dict[str, pl.DataFrame]:
    return tables_of(replace(GRID, n_models=request.param, spread_pp={"source": 2.0, "cell": 2.0}))


@pytest.mark.parametrize(("name", "kind"), [("noise", "regime"), ("sources", "source")])
def test_a_rate_has_the_interval_that_the_table_of_intervals_has(tables, name, kind):
    known = tables["intervals"].filter(kind=kind, statistic="harm_rate")
    of_name = {row["name"]: (row["value"], row["low"], row["high"]) for row in known.iter_rows(named=True)}
    for row in tables[name].iter_rows(named=True):
        label = row["regime"] if kind == "regime" else f"{row['source_task']}/{row['source_language']}"
        assert (row["harm_rate"], row["harm_rate_low"], row["harm_rate_high"]) == pytest.approx(
            of_name[label], abs=1e-9
        )


def test_parts_have_wider_intervals_than_the_whole(tables):
    widths = tables["harm_breakdown"].with_columns(width=pl.col("positive_rate_high") - pl.col("positive_rate_low"))
    (whole,) = tables["intervals"].filter(kind="regime", name="transfer", statistic="positive_rate").rows(named=True)
    parts = widths.filter(regime="transfer", by="target_language")["width"]
    assert parts.len() == 3
    assert parts.mean() > whole["high"] - whole["low"]


def test_a_group_without_answers_has_no_interval():
    answers = answers_of(replace(GRID, n_models=2))
    pooled = pl.concat([deltas(paired, metric="acc_norm") for paired in answers])
    tables = analyse(pooled, settings=SETTINGS, answers=answers[:1])
    known = dict(
        tables["pareto"].group_by("model").agg(pl.col("off_task_harm_rate_low").is_not_null().all()).iter_rows()
    )
    assert list(known.values()).count(True) == 1
    assert known[answers[0].model]
    assert tables["noise"]["harm_rate_low"].is_null().all(), "its rate is over both models"


def test_no_interval_and_no_sentence_contradicts_its_value_however_small_the_grid():
    rng = np.random.default_rng(5)
    n_stated = 0
    for seed in range(4):
        grid = replace(
            GRID,
            n_items=int(rng.choice([8, 50])),
            flip_rate=float(rng.choice([0.0, 0.02, 0.3])),
            mean_pp=float(rng.choice([-40.0, -3.0, 0.0, 40.0])),
            spread_pp={"cell": float(rng.choice([0.0, 20.0]))},
            train_seeds=(1,),
            seed=seed,
        )
        tables = tables_of(grid)
        for name, rates in RATES.items():
            for rate in rates:
                low, value, high = (tables[name][f"{rate}{end}"].to_numpy() for end in ("_low", "", "_high"))
                assert (low >= 0).all()
                assert (low <= value).all()
                assert (value <= high).all()
                assert (high <= 1).all()
                assert (low < high).all()
        page = Page.read(render_report(tables, example_head(tables["deltas"])))
        texts = [
            page.text[: page.text.index("MT / CT:")],
            *(text for rows in page.tables.values() for row in rows for text in row),
        ]
        for value, low, high in (match for text in texts for match in VALUE.findall(text)):
            numbers = [float(number.replace("−", "-")) for number in (low, value, high)]
            assert numbers == sorted(numbers), (low, value, high)
            n_stated += 1
    assert n_stated > 300
