from itertools import product

import numpy as np
import polars as pl
import pytest
from answer_grids import LANGUAGES, TASKS, item_frame, random_grid, run_of

from donorgrid.analyse import deltas, deltas_by_seed, pair_answers
from donorgrid.core.errors import InputError
from donorgrid.core.records import Cell, Source


def loop_delta(baseline, frames, task, language):
    """The same numbers by a plain loop over items: (n, right, right of the baseline, delta, se)."""
    base = {
        row["item_id"]: row["correct_norm"]
        for row in baseline.iter_rows(named=True)
        if (row["target_task"], row["target_language"]) == (task, language)
    }
    per_item = {item: [] for item in base}
    right = 0
    for frame in frames:
        for row in frame.iter_rows(named=True):
            if (row["target_task"], row["target_language"]) == (task, language):
                per_item[row["item_id"]].append(int(row["correct_norm"]) - int(base[row["item_id"]]))
                right += row["correct_norm"]
    means = np.array([np.mean(values) for values in per_item.values()])
    n = len(base) * len(frames)
    return n, right, sum(base.values()) * len(frames), 100 * means.mean(), 100 * means.std(ddof=1) / np.sqrt(len(means))


def test_deltas_equal_a_plain_loop():
    baseline, runs = random_grid(0)
    pooled = deltas(pair_answers(baseline, runs), metric="acc_norm")
    assert pooled.height == 36
    for row in pooled.sample(8, seed=1).iter_rows(named=True):
        frames = [frame for run, frame in runs if run.source.name == row["source_name"]]
        n, right, base, delta, se = loop_delta(baseline, frames, row["target_task"], row["target_language"])
        assert (row["n_items"], row["n_right_norm"], row["n_right_norm_base"]) == (n, right, base)
        assert row["delta_pp"] == pytest.approx(delta, abs=1e-12)
        assert row["se_pp"] == pytest.approx(se, rel=1e-12)
        assert row["n_seeds"] == 2


def test_pooled_counts_are_the_sums_of_the_seeds():
    answers = pair_answers(*random_grid(1))
    by_seed, pooled = deltas_by_seed(answers, metric="acc"), deltas(answers, metric="acc")
    key = ["source_name", "target_task", "target_language"]
    sums = by_seed.group_by(key).agg(
        pl.col("n_right", "n_items").sum(), mean=pl.col("delta_pp").mean(), sd=pl.col("delta_pp").std()
    )
    both = pooled.join(sums, on=key, suffix="_sum")
    assert (both["n_right"] == both["n_right_sum"]).all()
    assert (both["n_items"] == both["n_items_sum"]).all()
    np.testing.assert_allclose(both["delta_pp"], both["mean"], atol=1e-12)
    np.testing.assert_allclose(both["se_seed_pp"], both["sd"] / np.sqrt(2), rtol=1e-12)


def test_golden_standard_error():
    base = np.array([1, 1, 0, 0], dtype=bool)
    adapted = np.array([1, 0, 1, 1], dtype=bool)
    one = {"tasks": ("t",), "languages": ("en",)}
    answers = pair_answers(item_frame(base, **one), [(run_of("t", "en"), item_frame(adapted, **one))])
    row = deltas_by_seed(answers, metric="acc_norm").row(0, named=True)
    # d = 0, -1, 1, 1: mean 1/4, sum of squares 2.75, se = sqrt(2.75 / 12).
    assert row["delta_pp"] == 25.0
    assert row["se_pp"] == pytest.approx(100 * np.sqrt(2.75 / 12), rel=1e-14)
    assert row["regime"] == "MT-ML"


def test_the_order_of_items_and_runs_does_not_matter():
    baseline, runs = random_grid(2)
    shuffled = [(run, frame.sample(fraction=1, shuffle=True, seed=3)) for run, frame in reversed(runs)]
    key = ["source_name", "target_task", "target_language"]
    plain = deltas(pair_answers(baseline, runs), metric="acc_norm").sort(key)
    other = deltas(pair_answers(baseline.reverse(), shuffled), metric="acc_norm").sort(key)
    assert plain.equals(other)


def test_a_missing_target_is_a_hole_and_a_missing_item_is_counted():
    baseline, runs = random_grid(4, seeds=(17,))
    run, frame = runs[0]
    hole = frame.filter(pl.col("target_language") != "it")
    short = hole.filter(~((pl.col("target_task") == "beta") & (pl.col("item_id") == "i003")))
    strange = pl.concat([short, short[:1].with_columns(item_id=pl.lit("unheard"))])
    found = deltas_by_seed(pair_answers(baseline, [(run, strange)]), metric="acc_norm")
    assert set(found["target_language"]) == {"de", "en"}
    counts = {
        (row["target_task"], row["target_language"]): (row["n_items"], row["n_unpaired"])
        for row in found.iter_rows(named=True)
    }
    assert counts == {
        ("alpha", "de"): (40, 1),
        ("alpha", "en"): (40, 0),
        ("beta", "de"): (39, 1),
        ("beta", "en"): (39, 1),
    }


def test_mixes_and_controls_have_no_regime():
    baseline, runs = random_grid(5, seeds=(17,))
    cells = [Cell(task=task, language=language) for task, language in product(TASKS, LANGUAGES)]
    mix = Source(kind="mix", name="half", parts=((cells[0], 0.5), (cells[1], 0.5)))
    control = Source(kind="control", name="poison", parts=((cells[0], 1.0),), control="shuffled")
    labels = [
        run_of("alpha", "de").__class__(model="m0", recipe="lora", source=source, train_seed=1)
        for source in (mix, control)
    ]
    found = deltas(pair_answers(baseline, [(label, runs[0][1]) for label in labels]), metric="acc_norm")
    assert found["regime"].null_count() == found.height
    assert found.filter(pl.col("source_name") == "half")["source_task"].null_count() == 6
    assert set(found.filter(pl.col("source_name") == "poison")["source_task"]) == {"alpha"}


def test_a_task_without_acc_norm_says_that_acc_was_used():
    baseline, runs = random_grid(6, seeds=(17,))
    blank = pl.when(pl.col("target_task") == "beta").then(pl.col("correct_norm"))
    frame = deltas(
        pair_answers(
            baseline.with_columns(correct_norm=blank), [(runs[0][0], runs[0][1].with_columns(correct_norm=blank))]
        ),
        metric="acc_norm",
    )
    assert dict(frame.select("target_task", "metric").unique().iter_rows()) == {"alpha": "acc", "beta": "acc_norm"}
    alpha = frame.filter(pl.col("target_task") == "alpha")
    assert (alpha["n_right_norm"] == alpha["n_right"]).all()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda frame: frame.with_columns(answer=pl.lit(1, dtype=pl.Int32)), "gold answer"),
        (lambda frame: pl.concat([frame, frame[:1]]), "twice"),
    ],
)
def test_answers_to_other_items_are_refused(change, words):
    baseline, runs = random_grid(7, seeds=(17,))
    with pytest.raises(InputError, match=words):
        pair_answers(baseline, [(runs[0][0], change(runs[0][1]))])


def test_models_are_not_mixed():
    baseline, runs = random_grid(8, seeds=(17,))
    with pytest.raises(InputError, match="exactly one model"):
        pair_answers(baseline, [runs[0], (run_of("alpha", "de", model="other"), runs[1][1])])
    with pytest.raises(InputError, match="exactly one model"):
        pair_answers(baseline, [])
