import numpy as np
import polars as pl
import pytest
from answer_grids import random_grid

from donorgrid.analyse import deltas, deltas_by_seed, pair_answers, read_tables, to_released
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
    first = written(tmp_path / "a.csv", [ROW | {"delta_score_norm_mean": 1.0, "recipe": "lora", "note": 3}])
    other = written(tmp_path / "b.csv", [ROW | {"eval_language": "it", "score_norm": 0.5, "score_norm_base": 0.25,
                                                "note": "x"}])  # fmt: skip
    deltas = read_tables([first, other]).deltas
    assert deltas.select("recipe", "delta_pp").rows() == [("lora", 1.0), ("unspecified", 25.0)]


def test_a_seeds_own_standard_error_is_not_the_one_over_seeds(tmp_path):
    rows = [ROW | {"delta_score_norm_mean": delta, "train_seed": seed, "delta_score_norm_se": 0.5}
            for seed, delta in enumerate((1.0, 3.0))]  # fmt: skip
    deltas = read_tables([written(tmp_path / "t.csv", rows)]).deltas
    assert deltas.select("delta_pp", "se_seed_pp").rows() == [(2.0, pytest.approx(1.0))]
