from fractions import Fraction

import numpy as np
import polars as pl
import pytest
from made_answers import random_grid

from donorgrid.analyse import deltas, deltas_by_seed, pair_answers, read_tables, to_released
from donorgrid.analyse.reading.recover_counts import common_denominator
from donorgrid.core.errors import InputError
from donorgrid.core.tables import DELTAS

ROW = {
    "model_name": "m",
    "fine_tuned_dataset": "a",
    "fine_tuned_language": "en",
    "eval_dataset": "a",
    "eval_language": "de",
}


def written(path, rows):
    pl.DataFrame(rows).write_csv(path)
    return path


def test_our_own_file_comes_back_unchanged(tmp_path):
    answers = pair_answers(*random_grid(0))
    pooled, by_seed = deltas(answers, metric="acc_norm"), deltas_by_seed(answers, metric="acc_norm")
    path = tmp_path / "deltas.csv"
    to_released(pooled, by_seed=by_seed).write_csv(path)
    back = read_tables([path]).deltas
    assert back.select(DELTAS.columns.keys()).equals(DELTAS.check(pooled).select(DELTAS.columns.keys()))


def test_rows_per_seed_pool_to_the_same_deltas(tmp_path):
    answers = pair_answers(*random_grid(1))
    pooled, by_seed = deltas(answers, metric="acc_norm"), deltas_by_seed(answers, metric="acc_norm")
    path = tmp_path / "deltas_by_seed.parquet"
    to_released(by_seed).write_parquet(path)
    back = read_tables([path])
    assert back.by_seed is not None
    assert back.by_seed.height == by_seed.height
    for name in ("source_name", "n_items", "n_right_norm", "n_seeds"):
        assert (back.deltas[name] == pooled[name]).all(), name
    np.testing.assert_allclose(back.deltas["delta_pp"], pooled["delta_pp"], atol=1e-12)
    np.testing.assert_allclose(back.deltas["se_seed_pp"], pooled["se_seed_pp"], atol=1e-12)
    assert "se_pp" not in back.deltas.columns


def test_the_released_columns_come_first_and_the_spread_is_over_seeds():
    answers = pair_answers(*random_grid(2))
    released = to_released(deltas(answers, metric="acc_norm"), by_seed=deltas_by_seed(answers, metric="acc_norm"))
    assert released.columns[:10] == [
        "model_name", "model_size", "fine_tuned_dataset", "fine_tuned_language", "eval_dataset", "eval_language",
        "regime", "score_mean", "score_std", "score_se",
    ]  # fmt: skip
    assert {"delta_score_norm_mean", "delta_score_norm_std", "delta_score_norm_se", "n_seeds", "se_pp"} <= set(
        released.columns
    )
    np.testing.assert_allclose(released["delta_score_norm_se"], released["se_seed_pp"], rtol=1e-12)


def test_counts_are_recovered_from_exact_proportions(tmp_path):
    rows = [
        ROW
        | {
            "eval_language": language,
            "score_norm_mean": (400 + k) / 1200,
            "score_norm_base_mean": 400 / 1200,
            "n_seeds": 3,
        }
        for language, k in (("de", -12), ("en", 7), ("it", 1))
    ]
    read = read_tables([written(tmp_path / "t.csv", rows)])
    assert read.deltas["delta_pp"].to_list() == [-1.0, 700 / 1200, 100 / 1200]
    assert (
        read.deltas["n_right_norm"] - read.deltas["n_right_norm_base"]
        == pl.Series([-12, 7, 1]) * read.deltas["n_items"] // 1200
    ).all()
    assert any("recovered" in note for note in read.notes)


def test_the_slices_have_1200_answers_per_cell(slices):
    read = read_tables(slices)
    assert read.deltas.height == 3872
    assert read.deltas["n_items"].unique().to_list() == [1200]
    exact = [
        float(Fraction(100 * (a - b), n))
        for a, b, n in read.deltas.select("n_right_norm", "n_right_norm_base", "n_items").iter_rows()
    ]
    assert read.deltas["delta_pp"].to_list() == exact


def test_common_denominator_golden():
    assert common_denominator(np.array([0.25, 1 / 3])) == 12
    assert common_denominator(np.array([0.25, 1 / 3]), multiple_of=9) == 36
    assert common_denominator(np.array([0.351, 0.42])) is None  # three decimals are not a thousand items
    assert common_denominator(np.array([np.pi / 10])) is None
    assert common_denominator(np.array([])) is None
    assert common_denominator(np.array([np.nan])) is None


def test_a_delta_alone_is_enough(tmp_path):
    read = read_tables([written(tmp_path / "t.csv", [ROW | {"delta_score_norm_mean": -1.0}])])
    assert read.deltas["delta_pp"].to_list() == [-1.0]
    assert read.deltas["regime"].to_list() == ["MT-CL"]
    assert any("neither counts nor scores" in note for note in read.notes)
    assert any("no family" in note for note in read.notes)


def test_holes_are_said(tmp_path):
    rows = [ROW | {"delta_score_norm_mean": None}, ROW | {"eval_language": "it", "delta_score_norm_mean": 2.0}]
    read = read_tables([written(tmp_path / "t.csv", rows)], families={"m": "Em"})
    assert read.deltas.height == 1
    assert any("1 of 2 rows" in note for note in read.notes)
    assert read.deltas["family"].to_list() == ["Em"]


FAULTS = [
    ([ROW], "needed is 'delta_acc_norm_pp'"),
    ([{"model_name": "m", "delta_score_norm_mean": 1.0}], "source_task"),
    ([ROW | {"delta_score_norm_mean": 1.0}] * 2, "share their key"),
    ([ROW | {"delta_score_norm_mean": 1.0, "regime": "CT-CL"}], "by the rule it is MT-CL"),
    ([ROW | {"delta_score_norm_mean": None}], "no row has a finite delta"),
    ([ROW | {"delta_score_norm_mean": 1.0, "n_items": 100, "n_right_norm": 10, "n_right_norm_base": 50}], "contradict"),
    ([ROW | {"delta_score_norm_mean": "0,5"}], "row 1: column 'delta_acc_norm_pp' is '0,5', expected a number"),
    ([ROW | {"delta_score_norm_mean": 1.0, "model_size": 1.0, "size_b": 1.0}], "two names of the same column"),
    (
        [ROW | {"delta_pp": 1.0, "metric": "acc"}, ROW | {"eval_language": "it", "delta_pp": 1.0, "metric": "x"}],
        "its 'delta_pp' is of the metric 'acc', not of acc_norm",
    ),
    ([ROW | {"delta_score_norm_mean": 1.0, "delta_score_norm_se": "wide"}], "'delta_score_norm_se' is 'wide'"),
    ([], "no rows"),
]


@pytest.mark.parametrize(("rows", "words"), FAULTS)
def test_bad_tables_are_refused_with_one_line(tmp_path, rows, words):
    path = tmp_path / "t.csv"
    path.write_text("model_name\n") if not rows else written(path, rows)
    with pytest.raises(InputError, match=words) as caught:
        read_tables([path])
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["absent.csv", "table.xlsx"])
def test_bad_paths_are_refused(tmp_path, name):
    with pytest.raises(InputError, match=name):
        read_tables([tmp_path / name])


def test_a_broken_file_is_refused(tmp_path):
    path = tmp_path / "t.parquet"
    path.write_bytes(b"not parquet")
    with pytest.raises(InputError, match=r"t\.parquet"):
        read_tables([path])


def test_a_table_with_acc_only_is_read_by_acc(tmp_path):
    path = written(tmp_path / "t.csv", [ROW | {"score": 0.52, "score_base": 0.5}])
    read = read_tables([path])
    assert read.deltas.select("metric", "delta_pp").rows() == [("acc", pytest.approx(2.0))]
    with pytest.raises(InputError, match="it has acc: say '--metric acc'"):
        read_tables([path], metric="acc_norm")


def test_the_metric_of_a_table_is_the_one_it_names(tmp_path):
    scores = {"score": 0.52, "score_base": 0.5, "score_norm": 0.4, "score_norm_base": 0.5}
    both = read_tables([written(tmp_path / "t.csv", [ROW | scores])])
    named = read_tables([written(tmp_path / "n.csv", [ROW | scores | {"metric": "acc"}])])
    assert [read.deltas["metric"].to_list() for read in (both, named)] == [["acc_norm"], ["acc"]]
    assert named.deltas["delta_pp"].to_list() == pytest.approx([2.0])


def test_tables_with_different_columns_are_stacked(tmp_path):
    one = written(tmp_path / "a.csv", [ROW | {"delta_score_norm_mean": 1.0, "recipe": "lora", "note": 3}])
    other = written(tmp_path / "b.csv", [ROW | {"eval_language": "it", "score_norm": 0.5, "score_norm_base": 0.25,
                                                "note": "x"}])  # fmt: skip
    deltas = read_tables([one, other]).deltas
    assert deltas.select("recipe", "delta_pp").rows() == [("lora", 1.0), ("unspecified", 25.0)]
