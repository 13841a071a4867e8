import numpy as np
import polars as pl
import pytest
from answer_grids import random_grid

from donorgrid.analyse import AnalysisSettings, analyse, deltas, pair_answers
from donorgrid.analyse.tables.variance import FITS, variance_tables

QUICK = AnalysisSettings(n_bootstrap=50)


def crossed_cells(seed=0, n_models=3, tasks=("a", "b"), languages=("de", "en", "it")):
    """Deltas with known effects of models, sources and targets."""
    rng = np.random.default_rng(seed)
    ends = [(task, language) for task in tasks for language in languages]
    by_model, by_source, by_target = (
        rng.normal(size=n_models),
        rng.normal(size=len(ends)),
        2 * rng.normal(size=len(ends)),
    )
    regimes = {(True, True): "MT-ML", (True, False): "MT-CL", (False, True): "CT-ML", (False, False): "CT-CL"}
    return pl.DataFrame(
        [
            {"model": f"m{m}", "recipe": "r", "source_kind": "cell", "source_name": "/".join(source),
             "source_task": source[0], "source_language": source[1], "target_task": target[0],
             "target_language": target[1], "n_seeds": 1,
             "regime": regimes[(source[0] == target[0], source[1] == target[1])],
             "delta_pp": by_model[m] + by_source[s] + by_target[t] + rng.normal()}
            for m in range(n_models) for s, source in enumerate(ends) for t, target in enumerate(ends)
        ]
    )  # fmt: skip


def shares(table, fit, scope="transfer"):
    rows = table.filter((pl.col("fit") == fit) & (pl.col("scope") == scope) & pl.col("share").is_not_null())
    return dict(rows.select("component", "share").iter_rows())


def shuffled_within_models(cells, seed):
    """The labels of sources, and those of targets, permuted within each model; the deltas stay where they are."""
    rng = np.random.default_rng(seed)
    parts = []
    for part in cells.partition_by("model", maintain_order=True):
        for end in ("source", "target"):
            labels = part.select(f"{end}_task", f"{end}_language").unique(maintain_order=True)
            moved = labels.sample(fraction=1, shuffle=True, seed=int(rng.integers(1000)))
            new = {f"{end}_task": moved[f"{end}_task"], f"{end}_language": moved[f"{end}_language"]}
            named = labels.with_columns(**{f"{name}_new": values for name, values in new.items()})
            part = part.join(named, on=[f"{end}_task", f"{end}_language"], maintain_order="left")
            part = part.with_columns(pl.col(f"{name}_new").alias(name) for name in new).drop(
                f"{name}_new" for name in new
            )
        parts.append(part)
    return pl.concat(parts)


def test_shuffling_labels_within_models_tells_crossed_from_nested():
    cells = crossed_cells(n_models=4)
    settings = AnalysisSettings(n_bootstrap=0)
    plain, _ = variance_tables(cells, settings)
    mixed, _ = variance_tables(shuffled_within_models(cells, 1), settings)
    nested = shares(plain, "release-compatible")
    assert shares(mixed, "release-compatible") == pytest.approx(nested, abs=1e-6)
    before, after = shares(plain, "crossed"), shares(mixed, "crossed")
    assert before["target"] > 0.3
    assert after["target"] < before["target"] / 2


def test_every_scope_has_every_fit_and_shares_sum_to_one():
    tables = analyse(crossed_cells(), settings=QUICK)
    found = tables["variance"]
    assert found.select("scope", "fit").unique().height == 4 * len(FITS)
    sums = found.filter(pl.col("share").is_not_null()).group_by("scope", "fit").agg(pl.col("share").sum())
    np.testing.assert_allclose(sums["share"], 1.0, atol=1e-12)
    crossed = found.filter((pl.col("fit") == "crossed") & (pl.col("status") == "estimated"))
    assert (crossed["share_low"] <= crossed["share"]).all()
    assert (crossed["share"] <= crossed["share_high"]).all()
    assert crossed["n_refits"].min() > 0
    effects = tables["effects"].filter((pl.col("scope") == "transfer") & (pl.col("component") == "target"))
    assert sorted(effects["level"]) == ["a/de", "a/en", "a/it", "b/de", "b/en", "b/it"]


def test_what_cannot_be_told_apart_is_said():
    table = analyse(crossed_cells(n_models=1), settings=QUICK)["variance"]
    rows = {
        (row["fit"], row["component"]): row for row in table.filter(pl.col("scope") == "MT-CL").iter_rows(named=True)
    }
    assert rows["crossed", "model"]["status"] == "not estimable: one level"
    assert rows["crossed", "model"]["variance"] is None
    assert rows["task+language", "target_task"]["status"] == "not estimable: the same as source_task"
    assert rows["crossed+interactions", "model:source"]["status"] == "not estimable: the same as source"
    assert rows["crossed", "source"]["status"] in ("estimated", "at zero")


def test_tiny_and_constant_tables_say_why_there_is_no_fit():
    cells = crossed_cells()
    constant = analyse(cells.with_columns(delta_pp=pl.lit(0.0)), settings=QUICK)["variance"]
    assert constant["variance"].null_count() == constant.height
    assert constant["status"].str.contains("does not vary").any()
    one = analyse(
        cells.filter((pl.col("source_name") == "a/de") & (pl.col("target_language") == "en"))[:1], settings=QUICK
    )
    assert one["variance"]["status"].str.starts_with("not estimable").all()


def test_the_same_seed_gives_the_same_tables():
    grid = deltas(pair_answers(*random_grid(0)), metric="acc_norm")
    first, second = (analyse(grid, settings=QUICK) for _ in range(2))
    assert all(first[name].equals(second[name]) for name in first)
