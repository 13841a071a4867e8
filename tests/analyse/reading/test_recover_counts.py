from fractions import Fraction

import numpy as np
import polars as pl

from donorgrid.analyse import read_tables
from donorgrid.analyse.reading.recover_counts import common_denominator

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
