"""Specific transfer: delta less what a control gives the same target."""

from dataclasses import replace
from statistics import fmean

import numpy as np
import polars as pl
import pytest
from answer_grids import random_grid

from donorgrid.analyse import AnalysisSettings, analyse, deltas, pair_answers
from donorgrid.analyse.reading.arms import Arm, judged
from donorgrid.analyse.reading.paired_differences import differences_of
from donorgrid.analyse.tables.specific import OTHER_SOURCES, against_other_sources, specific_cells

QUICK = AnalysisSettings(n_bootstrap=0, n_permutations=0, n_splits=0)


@pytest.fixture(scope="module")
def cells():
    return deltas(pair_answers(*random_grid(2)), metric="acc_norm")


def control(cells, kind, of="alpha/de", **changes):
    part = cells.filter(pl.col("source_name") == of).with_columns(
        source_kind=pl.lit("control"), source_name=pl.lit(f"{kind}:{of}"), control=pl.lit(kind),
        regime=pl.lit(None, dtype=pl.String),
    )  # fmt: skip
    return part.with_columns(**changes)


def test_against_other_sources_by_hand(cells):
    found = specific_cells(judged(cells, QUICK), judged(cells, QUICK).clear(), QUICK)[OTHER_SOURCES]
    by_key = {
        (row["source_name"], row["target_task"], row["target_language"]): row for row in cells.iter_rows(named=True)
    }
    for row in found.iter_rows(named=True):
        target = (row["target_task"], row["target_language"])
        others = [
            one["delta_pp"]
            for (source, *key), one in by_key.items()
            if tuple(key) == target and source not in (row["source_name"], "/".join(target))
        ]
        own = by_key[(row["source_name"], *target)]["delta_pp"]
        assert row["delta_pp"] == pytest.approx(own - fmean(others), abs=1e-9)
        assert row["harmed"] == (row["delta_pp"] <= -1.0 + 1e-9)


def test_the_mean_over_sources_is_zero_for_each_target(cells):
    table = analyse(cells, settings=QUICK)["specific_regimes"]
    row = table.filter((pl.col("control") == OTHER_SOURCES) & (pl.col("regime") == "transfer")).row(0, named=True)
    assert row["mean_pp"] == pytest.approx(0.0, abs=1e-9)


def test_a_matched_control_comes_first_and_the_mean_of_its_kind_stands_in(cells):
    exact = control(cells, "shuffled")
    tables = analyse(pl.concat([cells, exact, control(cells, "shuffled", of="beta/it")]), settings=QUICK)
    regimes = tables["specific_regimes"].filter(pl.col("control") == "shuffled")
    assert set(regimes["regime"]) == {"MT-ML", "MT-CL", "CT-ML", "CT-CL", "transfer"}
    found = specific_cells(judged(cells, QUICK), judged(exact, QUICK), QUICK)["shuffled"]
    matched = found.filter(pl.col("source_name") == "alpha/de")
    assert matched["delta_pp"].abs().max() == pytest.approx(0.0, abs=1e-12)
    other = found.filter(pl.col("source_name") == "beta/en")
    expected = cells.filter(pl.col("source_name") == "beta/en").join(
        exact.select("target_task", "target_language", control_pp="delta_pp"), on=["target_task", "target_language"]
    )
    assert other["delta_pp"].to_list() == pytest.approx((expected["delta_pp"] - expected["control_pp"]).to_list())


def test_every_kind_of_control_has_its_own_tables(cells):
    tables = analyse(pl.concat([cells, control(cells, "shuffled"), control(cells, "content-free")]), settings=QUICK)
    kinds = {OTHER_SOURCES, "shuffled", "content-free"}
    assert set(tables["specific_regimes"]["control"]) == kinds
    assert set(tables["specific_roles"]["control"]) == kinds
    assert set(tables["specific_roles"]["kind"]) == {"language", "task"}


def test_a_single_source_has_no_other_sources(cells):
    one = cells.filter(pl.col("source_name") == "alpha/de")
    assert analyse(one, settings=QUICK)["specific_regimes"].filter(pl.col("regime") != "MT-ML").height == 0


def test_its_item_errors_are_those_of_the_difference_item_by_item():
    """The baseline cancels: where adapters agree with one another, specific transfer has no noise at all."""
    answers = pair_answers(*random_grid(4, seeds=(1,), n_items=50))
    (made,) = differences_of([answers], Arm("lora", None), metric="acc_norm")
    against = against_other_sources(made)
    rows = judged(deltas(answers, metric="acc_norm"), QUICK)
    found = specific_cells(rows, rows.clear(), QUICK)
    for row in found[OTHER_SOURCES].iter_rows(named=True):
        place = made.source_names.index(row["source_name"])
        column = list(zip(made.target_tasks, made.target_languages, strict=True)).index(
            (row["target_task"], row["target_language"])
        )
        assert against.delta_pp[place, column] == pytest.approx(row["delta_pp"], abs=1e-9)
    same = replace(made, summed=np.broadcast_to(made.summed[:1], made.summed.shape).copy())
    assert np.abs(against_other_sources(same).summed).max() < 1e-9
    table = analyse(deltas(answers, metric="acc_norm"), answers=[answers], settings=QUICK)["specific_regimes"]
    errors = table.filter(control=OTHER_SOURCES)["mean_noise_se_pp"]
    assert errors.null_count() == 0
    # Over all sources of a target the specific deltas cancel, and so does their noise.
    assert table.filter(control=OTHER_SOURCES, regime="transfer")["mean_noise_se_pp"][0] < 1e-9
    assert errors.max() > 0.1
