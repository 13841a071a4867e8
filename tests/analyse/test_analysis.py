"""The headline tables against a plain independent computation, on the released slices and on grids with holes."""

import csv
from collections import defaultdict
from dataclasses import replace
from fractions import Fraction
from statistics import fmean, median, stdev

import numpy as np
import polars as pl
import pytest
from answer_grids import random_grid
from hypothesis import given, settings
from hypothesis import strategies as st

from donorgrid import analyse as analysis
from donorgrid.analyse import AnalysisSettings, deltas, deltas_by_seed, pair_answers, read_tables
from donorgrid.core.errors import InputError
from donorgrid.core.tables import DELTAS

QUICK = AnalysisSettings(n_bootstrap=0, n_permutations=0)


def analyse(frame, *, settings=QUICK, **more):
    return analysis.analyse(frame, settings=settings, **more)


RULE = {(True, True): "MT-ML", (True, False): "MT-CL", (False, True): "CT-ML", (False, False): "CT-CL"}


def plain_rows(paths):
    """(model, source cell, target cell, regime by hand, exact delta) of every row, with the csv module alone."""
    for path in paths:
        with path.open(newline="") as stream:
            for row in csv.DictReader(stream):
                source = (row["fine_tuned_dataset"], row["fine_tuned_language"])
                target = (row["eval_dataset"], row["eval_language"])
                gained = round(1200 * float(row["score_norm_mean"])) - round(1200 * float(row["score_norm_base_mean"]))
                name = RULE[(source[0] == target[0], source[1] == target[1])]
                yield row["model_name"], source, target, name, Fraction(100 * gained, 1200)


@pytest.fixture(scope="module")
def slice_tables(slices):
    return analyse(read_tables(slices).deltas)


def test_regimes_of_the_slices_equal_a_plain_computation(slices, slice_tables):
    groups = defaultdict(list)
    for *_, name, delta in plain_rows(slices):
        groups[name].append(delta)
        if name != "MT-ML":
            groups["transfer"].append(delta)
    table = {row["regime"]: row for row in slice_tables["regimes"].iter_rows(named=True)}
    assert table.keys() == groups.keys()
    for name, deltas_pp in groups.items():
        row = table[name]
        assert row["n"] == len(deltas_pp)
        assert row["mean_pp"] == pytest.approx(float(sum(deltas_pp) / len(deltas_pp)), abs=1e-12)
        assert row["median_pp"] == pytest.approx(float(median(deltas_pp)), abs=1e-12)
        assert row["positive_rate"] == sum(delta > 0 for delta in deltas_pp) / len(deltas_pp)
        assert row["harm_rate"] == sum(delta <= -1 for delta in deltas_pp) / len(deltas_pp)


def role_by_hand(rows, end):
    per_model = defaultdict(lambda: defaultdict(list))
    for model, *ends, delta in rows:
        per_model[ends[end]][model].append(float(delta))
    means = {name: [fmean(values) for values in models.values()] for name, models in per_model.items()}
    return {name: (fmean(values), stdev(values) / len(values) ** 0.5) for name, values in means.items()}


@pytest.mark.parametrize(
    ("table", "axis", "regime", "position"),
    [("roles_language", "language", "MT-CL", 1), ("roles_task", "task", "CT-ML", 0)],
)
def test_roles_of_the_slices_equal_a_plain_computation(slices, slice_tables, table, axis, regime, position):
    rows = [
        (model, source[position], target[position], delta)
        for model, source, target, name, delta in plain_rows(slices)
        if name == regime
    ]
    for end, role in enumerate(("donor", "recipient")):
        by_hand = role_by_hand(rows, end)
        ours = {
            row[axis]: (row[f"{role}_pp"], row[f"{role}_se_pp"]) for row in slice_tables[table].iter_rows(named=True)
        }
        assert ours.keys() == by_hand.keys()
        for name, values in by_hand.items():
            assert ours[name] == pytest.approx(values, abs=1e-12)


def test_a_full_grid_has_nothing_missing_and_44_sources_per_model(slice_tables):
    assert slice_tables["coverage"]["n_missing"].sum() == 0
    assert slice_tables["pareto"].height == 88
    assert slice_tables["matrix_language"].filter(pl.col("same")).height == 11
    assert slice_tables["matrix_task"].height == 16
    assert slice_tables["mixes_controls"].height == 0


def counted(gained, n_items=400, **more):
    """DELTAS of one model whose target cells gained these item counts; the source is another task's cell."""
    rows = [
        {"model": "m", "recipe": "r", "source_kind": "cell", "source_name": "a/en", "source_task": "a",
         "source_language": "en", "target_task": "b", "target_language": f"l{i}", "regime": "CT-CL", "n_seeds": 1,
         "n_items": n_items, "n_right_norm": 200 + k, "n_right_norm_base": 200, "metric": "acc_norm",
         "score_norm": (200 + k) / n_items, "score_norm_base": 200 / n_items, "delta_pp": 100 * k / n_items} | more
        for i, k in enumerate(gained)
    ]  # fmt: skip
    return pl.DataFrame(rows)


def harm_rate(frame, **options):
    table = analyse(frame, settings=replace(QUICK, **options))["regimes"]
    return table.filter(pl.col("regime") == "CT-CL")["harm_rate"][0]


def test_exactly_the_limit_is_harm():
    assert harm_rate(counted([-4, -3, -5, 4])) == 0.5
    assert harm_rate(counted([-4, -3, -5, 4]), harm_limit_pp=0.75) == 0.75
    # A limit of 0.1 is one tenth: -1 of 1000 is on it, in integers.
    assert harm_rate(counted([-1, 0], n_items=1000), harm_limit_pp=0.1) == 0.5


def test_release_arithmetic_compares_raw_floats():
    frame = counted([-4] * 40).with_columns(
        n_right_norm_base=pl.int_range(200, 240), n_right_norm=pl.int_range(196, 236)
    )
    scores = frame.with_columns(
        score_norm=pl.col("n_right_norm") / 400, score_norm_base=pl.col("n_right_norm_base") / 400
    )
    raw = 100.0 * (scores["score_norm"].to_numpy() - scores["score_norm_base"].to_numpy())
    by_float = float(np.mean(raw <= -1.0))
    assert 0 < by_float < 1
    assert harm_rate(scores, release_arithmetic=True) == by_float
    assert harm_rate(scores) == 1.0


def test_release_arithmetic_averages_the_seeds_in_floats():
    answers = pair_answers(*random_grid(3, seeds=(1, 2, 3)))
    pooled, by_seed = deltas(answers, metric="acc_norm"), deltas_by_seed(answers, metric="acc_norm")
    options = replace(QUICK, release_arithmetic=True, harm_limit_pp=2.5)
    table = analyse(pooled, by_seed=by_seed, settings=options)["regimes"]
    harmed = defaultdict(list)
    for _, part in by_seed.group_by("source_name", "target_task", "target_language"):
        mean = float(np.mean([100.0 * (a - b) for a, b in part.select("score_norm", "score_norm_base").iter_rows()]))
        harmed[part["regime"][0]].append(mean <= -2.5)
    for name, flags in harmed.items():
        assert table.filter(pl.col("regime") == name)["harm_rate"][0] == np.mean(flags)


def random_cells(seed, models=2):
    grids = [random_grid(seed + i, model=f"m{i}", n_items=20) for i in range(models)]
    return pl.concat([deltas(pair_answers(*grid), metric="acc_norm") for grid in grids])


@settings(max_examples=12, deadline=None)
@given(st.integers(0, 10**6), st.floats(0.05, 0.9))
def test_holes_never_crash_and_are_counted(seed, share):
    whole = random_cells(0)
    kept = whole.filter(pl.Series(np.random.default_rng(seed).random(whole.height) < share))
    if not kept.height:
        return
    tables = analyse(kept)
    grid = tables["coverage"].row(0, named=True)
    assert grid["n_found"] == kept.height
    sizes = [
        kept.select(names).n_unique() for names in (["model"], ["source_name"], ["target_task", "target_language"])
    ]
    assert grid["n_missing"] == np.prod(sizes) - kept.height


CUTS = {
    "one model": pl.col("model") == "m0",
    "one language": (pl.col("source_language") == "de") & (pl.col("target_language") == "de"),
    "one task": (pl.col("source_task") == "alpha") & (pl.col("target_task") == "alpha"),
    "no MT-CL": pl.col("regime") != "MT-CL",
    "no CT-ML": pl.col("regime") != "CT-ML",
    "trained cells only": pl.col("regime") == "MT-ML",
    "one cell": (pl.col("source_name") == "alpha/de") & (pl.col("regime") == "MT-ML") & (pl.col("model") == "m0"),
}


@pytest.mark.parametrize("cut", CUTS.values(), ids=CUTS.keys())
def test_grids_that_lack_a_dimension(cut):
    kept = random_cells(0).filter(cut)
    tables = analyse(kept)
    assert tables["regimes"].filter(pl.col("regime") != "transfer")["n"].sum() == kept.height
    assert set(tables["regimes"]["regime"]) - {"transfer"} == set(kept["regime"])


def test_controls_and_mixes_stay_out_of_the_regimes():
    cells = random_cells(0)
    control = cells.filter(pl.col("source_name") == "alpha/de").with_columns(
        source_kind=pl.lit("control"), source_name=pl.lit("poison"), regime=pl.lit(None, dtype=pl.String)
    )
    plain, mixed = analyse(cells), analyse(pl.concat([cells, control]))
    assert plain["regimes"].equals(mixed["regimes"])
    assert mixed["mixes_controls"]["n"].to_list() == [6, 6]
    alone = analyse(control)
    assert alone["regimes"].height == 0
    assert alone["mixes_controls"].height == 2


def test_recipes_and_sizes_are_analysed_apart_and_data_seeds_together():
    first = random_cells(0)
    second = first.with_columns(data_seed=pl.lit(1, dtype=pl.Int64), delta_pp=pl.col("delta_pp") + 1)
    other = first.with_columns(recipe=pl.lit("dora"))
    small = first.with_columns(train_size=pl.lit(50, dtype=pl.Int64))
    tables = analyse(pl.concat([first, second, other, small]))["regimes"]
    assert tables.select("recipe", "train_size").unique().height == 3
    alone = analyse(first)["regimes"]
    pooled = tables.filter((pl.col("recipe") == "lora") & pl.col("train_size").is_null())
    np.testing.assert_allclose(pooled["mean_pp"], alone["mean_pp"] + 0.5, atol=1e-12)
    assert pooled["n"].to_list() == alone["n"].to_list()


def test_no_rows_and_bad_settings_are_refused():
    with pytest.raises(InputError, match="no rows"):
        analyse(DELTAS.empty())
    for bad in ({"harm_limit_pp": -1.0}, {"confidence": 1.0}, {"n_bootstrap": -1}):
        with pytest.raises(InputError):
            AnalysisSettings(**bad)


def test_harm_is_broken_down_by_every_known_property():
    cells = random_cells(0).with_columns(
        family=pl.col("model"), size_b=pl.when(pl.col("model") == "m0").then(0.5).otherwise(8.0)
    )
    table = analyse(cells, settings=replace(QUICK, translations={"alpha": "human"}))["harm_breakdown"]
    transfer = table.filter(pl.col("regime") == "transfer")
    total = cells.filter(pl.col("regime") != "MT-ML").height
    sums = dict(transfer.group_by("by").agg(pl.col("n").sum()).iter_rows())
    assert sums == {
        "target_language": total,
        "target_task": total,
        "size_class": total,
        "family": total,
        "translation": total // 2,
    }
    assert set(transfer.filter(pl.col("by") == "size_class")["value"]) == {"<=1.5B", ">=7B"}
