from collections import defaultdict
from itertools import combinations
from statistics import fmean

import numpy as np
import polars as pl
import pytest
from scipy.stats import kendalltau

from donorgrid.analyse import AnalysisSettings, read_tables
from donorgrid.analyse.reading.arms import judged
from donorgrid.analyse.tables.consistency import consistency_table

QUICK = AnalysisSettings(n_permutations=60, n_bootstrap=60)
FAMILIES = {"Llama-3.1-8B-Instruct": "Llama 3", "Qwen2.5-7B-Instruct": "Qwen2.5"}


def by_loop(cells, regime):
    """The index by scipy, source by source and pair by pair, on integer counts."""
    scores = defaultdict(lambda: defaultdict(dict))
    for row in cells.filter(pl.col("regime") == regime).iter_rows(named=True):
        gained = row["n_right_norm"] - row["n_right_norm_base"]
        scores[row["source_name"]][row["model"]][row["target_task"], row["target_language"]] = gained
    means = []
    for models in scores.values():
        taus = []
        for a, b in combinations(models.values(), 2):
            shared = sorted(a.keys() & b.keys())
            if len(shared) >= 3:
                taus.append(kendalltau([a[key] for key in shared], [b[key] for key in shared]).statistic)
        taus = [one for one in taus if not np.isnan(one)]
        if taus:
            means.append(fmean(taus))
    return np.quantile(means, [0.25, 0.5, 0.75]), len(means)


def test_the_slices_equal_a_plain_loop(slices):
    cells = judged(read_tables(slices, families=FAMILIES).deltas, QUICK)
    table = consistency_table(cells, QUICK)
    assert set(table["level"]) == {"model", "family", "size"}
    for row in table.filter(pl.col("level") == "model").iter_rows(named=True):
        quartiles, n_sources = by_loop(cells, row["regime"])
        assert (row["q1"], row["median"], row["q3"]) == pytest.approx(tuple(quartiles), abs=1e-14)
        assert row["n_sources"] == n_sources
    # Two models of two families and two sizes: the three levels agree.
    columns = ["regime", "median", "q1", "q3"]
    by_model, by_family = (table.filter(pl.col("level") == level).select(columns) for level in ("model", "family"))
    assert by_model.equals(by_family)


def made_cells(agree, seed=0, n_models=4, n_recipients=8):
    rng = np.random.default_rng(seed)
    order = rng.normal(size=n_recipients)
    return pl.DataFrame(
        [
            {"model": f"m{m}", "family": "one", "size_b": float(m // 2), "regime": "MT-CL", "source_task": "a",
             "source_language": f"s{s}", "target_task": "a", "target_language": f"l{r}",
             "delta_pp": float(agree * order[r] + (1 - agree) * rng.normal())}
            for m in range(n_models) for s in range(6) for r in range(n_recipients)
        ]
    )  # fmt: skip


def test_agreement_is_one_and_chance_is_not_significant():
    table = consistency_table(made_cells(1.0), QUICK)
    model = table.filter(pl.col("level") == "model").row(0, named=True)
    assert model["median"] == 1.0
    assert model["p_value"] == pytest.approx(1 / 61)
    assert abs(model["null_median"]) < 0.2
    assert set(table["level"]) == {"model", "size"}  # one family only: nothing to compare
    chance = consistency_table(made_cells(0.0, seed=3), QUICK).filter(pl.col("level") == "model").row(0, named=True)
    assert chance["p_value"] > 0.02
    assert chance["median_low"] <= chance["median"] <= chance["median_high"]


def test_undefined_pairs_are_counted():
    cells = made_cells(1.0).with_columns(delta_pp=pl.when(pl.col("model") == "m0").then(0.0).otherwise("delta_pp"))
    row = consistency_table(cells, QUICK).filter(pl.col("level") == "model").row(0, named=True)
    assert (row["n_pairs"], row["n_undefined"]) == (6 * 3, 6 * 3)
    two = cells.filter(pl.col("target_language").is_in(["l0", "l1"]))
    assert consistency_table(two, QUICK).height == 0
