"""Rows are judged by their counts where they have them."""

import polars as pl
import pytest

from donorgrid.analyse import AnalysisSettings
from donorgrid.analyse.reading.arms import judged


def rows(**columns: object) -> pl.DataFrame:
    """Three rows whose rounded deltas contradict their counts: two items lost of 200, one lost, one gained."""
    counts = {"n_right_norm": [98, 99, 101], "n_right_norm_base": [100, 100, 100], "n_items": [200, 200, 200]}
    return pl.DataFrame({"delta_pp": [-0.99, -1.01, -0.5], "metric": ["acc_norm"] * 3, **counts, **columns})


@pytest.mark.parametrize("metric", ["acc", "acc_norm"])
def test_counts_decide_harm_and_gain_against_a_rounded_delta(metric: str) -> None:
    named = rows(metric=[metric] * 3)
    if metric == "acc":
        named = named.rename({"n_right_norm": "n_right", "n_right_norm_base": "n_right_base"})
    found = judged(named, AnalysisSettings())
    assert found["harmed"].to_list() == [True, False, False]
    assert found["positive"].to_list() == [False, False, True]


def test_without_counts_the_delta_decides() -> None:
    found = judged(rows().drop("n_items"), AnalysisSettings())
    assert found["harmed"].to_list() == [False, True, False]
    assert found["positive"].to_list() == [False, False, False]
