"""The best of many looks better than it is: halves of items or seeds say by how much."""

import numpy as np
import polars as pl
import pytest
from answer_grids import LANGUAGES, TASKS, item_frame, random_grid, run_of

from donorgrid.analyse import AnalysisSettings, analyse, deltas, deltas_by_seed, pair_answers
from donorgrid.analyse.errors.halves import item_halves, seed_halves
from donorgrid.analyse.errors.item_contributions import item_contributions
from donorgrid.analyse.reading.arms import Arm
from donorgrid.analyse.reading.cell_sets import source_sets
from donorgrid.analyse.reading.paired_differences import differences_of
from donorgrid.analyse.tables.choosing import choosing_table

SETTINGS = AnalysisSettings(n_bootstrap=0, n_permutations=0, n_splits=100)


def tables_of(answers, **more):
    pooled = pl.concat([deltas(one, metric="acc_norm") for one in answers])
    return analyse(pooled, answers=answers, settings=SETTINGS, **more)


def test_without_effects_what_is_chosen_is_worth_nothing():
    """Over many null grids the honest value of the chosen source averages zero, the apparent one does not."""
    apparent, honest = [], []
    for seed in range(12):
        answers = pair_answers(*random_grid(seed, seeds=(1,), n_items=60))
        own = differences_of([answers], Arm("lora", None), metric="acc_norm")
        table = choosing_table(own, SETTINGS, cells=deltas(answers, metric="acc_norm"))
        row = table.filter(pl.col("what") == "source").row(0, named=True)
        apparent.append(row["apparent_pp"])
        honest.append(row["honest_pp"])
        assert row["split"] == "items"
        assert row["optimism_pp"] == pytest.approx(row["apparent_pp"] - row["honest_pp"])
    assert np.mean(apparent) > 0.5
    # The standard error of the mean of 12 honest values, as they scatter.
    assert abs(np.mean(honest)) < 3.5 * np.std(honest, ddof=1) / np.sqrt(12)


def donor_grid(model="m0", seed=0, *, seeds=(1, 2)):
    """The source beta/it repairs a fifth of the wrong answers everywhere; the others flip at random."""
    rng = np.random.default_rng(seed)
    size = len(TASKS) * len(LANGUAGES) * 80
    base = rng.random(size) < 0.5
    runs = []
    for task in TASKS:
        for language in LANGUAGES:
            for one in seeds:
                right = base ^ (rng.random(size) < 0.04)
                right |= (rng.random(size) < 0.2) if (task, language) == ("beta", "it") else False
                runs.append((run_of(task, language, train_seed=one, model=model), item_frame(right)))
    return pair_answers(item_frame(base), runs)


def test_a_real_donor_is_chosen_on_every_half_and_keeps_its_value():
    tables = tables_of([donor_grid("m0", 0), donor_grid("m1", 1)])
    together = tables["choosing"].filter((pl.col("what") == "source") & (pl.col("model") == "all models"))
    row = together.row(0, named=True)
    assert (row["best"], row["best_share"]) == ("beta/it", 1.0)
    assert row["honest_pp"] == pytest.approx(row["apparent_pp"], abs=0.5)
    sources = tables["sources"]
    first = sources.row(0, named=True)
    assert (first["rank"], first["source_task"], first["source_language"]) == (1, "beta", "it")
    assert first["best_share"] == 1.0
    assert sources["rank"].to_list() == list(range(1, 7))
    assert sources["n"].to_list() == [10] * 6
    assert first["noise_se_pp"] > 0


def test_halves_average_to_the_whole():
    (made,) = differences_of([pair_answers(*random_grid(1, n_items=20))], Arm("lora", None), metric="acc_norm")
    found = item_contributions(made, source_sets(made))
    halves = item_halves(found, SETTINGS)
    np.testing.assert_allclose((halves.first + halves.second) / 2, np.tile(halves.whole, (100, 1)), atol=1e-12)
    np.testing.assert_allclose(found.parts.sum(axis=1), found.means_pp, atol=1e-12)
    np.testing.assert_allclose(found.centred.sum(axis=1), 0.0, atol=1e-9)


def test_seeds_are_split_where_there_are_no_answers():
    answers = donor_grid(seeds=(1, 2, 3))
    pooled, by_seed = deltas(answers, metric="acc_norm"), deltas_by_seed(answers, metric="acc_norm")
    row = (
        analyse(pooled, by_seed=by_seed, settings=SETTINGS)["choosing"]
        .filter(pl.col("what") == "source")
        .row(0, named=True)
    )
    assert (row["best"], row["split"], row["n_splits"]) == ("beta/it", "seeds", 3)
    single = analyse(pooled, settings=SETTINGS)["choosing"]
    assert single.height == 0


def test_seed_halves_by_hand():
    rows = [(1, "a", 4.0), (1, "b", 1.0), (2, "a", 0.0), (2, "b", 3.0), (3, "a", 2.0), (3, "b", 2.0), (1, "c", 9.0)]
    halves = seed_halves(pl.DataFrame(rows, schema=["train_seed", "s", "delta_pp"], orient="row"), "s")
    assert halves.names == ("a", "b")
    assert halves.first.tolist() == [[4, 1], [0, 3], [2, 2]]
    assert halves.second.tolist() == [[1, 2.5], [3, 1.5], [2, 2]]
    # Seed 1 chooses a (worth 1 elsewhere), seed 2 b (1.5), seed 3 the first of a tie (2); and back: 1, 0 and 2.
    assert halves.honest_pp == pytest.approx(((1 + 1.5 + 2) / 3 + (1 + 0 + 2) / 3) / 2)


def test_models_that_share_a_donor_agree_up_to_the_ceiling():
    agreement = tables_of([donor_grid("m0", 0), donor_grid("m1", 1)])["agreement"]
    row = agreement.filter((pl.col("what") == "language donor") & (pl.col("between") == "models")).row(0, named=True)
    assert row["n_pairs"] == 1
    assert -1 <= row["kendall"] <= 1
    assert 0 < row["ceiling_kendall"] <= 1
