"""Targets that measure format are found, flagged, and left out of the second set of headline tables."""

import numpy as np
import polars as pl
import pytest
from answer_grids import LANGUAGES, TASKS, item_frame, random_grid, run_of

from donorgrid.analyse import AnalysisSettings, analyse, deltas, pair_answers, read_tables
from donorgrid.analyse.registry import SOUND

QUICK = AnalysisSettings(n_bootstrap=0, n_permutations=0, n_splits=20)
N_ITEMS = 200


def grid(seed=0, *, share=0.6, at_chance=True):
    """One model; the target alpha/de is answered at chance (four options), by choosing at random, or by letter."""
    rng = np.random.default_rng(seed)
    size = len(TASKS) * len(LANGUAGES) * N_ITEMS
    base = rng.random(size) < share
    if at_chance:
        base[:N_ITEMS] = rng.random(N_ITEMS) < 0.25
    runs = [
        (run_of(task, language), answered(base ^ (rng.random(size) < 0.05), rng))
        for task in TASKS
        for language in LANGUAGES
    ]
    return pair_answers(answered(base, rng), runs)


def answered(right, rng):
    """Item answers with four options, gold and chosen ones evenly spread."""
    gold = np.arange(len(right)) % 4
    chosen = np.where(right, gold, (gold + rng.integers(1, 4, len(right))) % 4)
    return item_frame(right).with_columns(
        answer=pl.Series(gold, dtype=pl.Int32), chosen=pl.Series(chosen, dtype=pl.Int32), chosen_norm=pl.Series(chosen)
    )


def analysed(answers):
    return analyse(deltas(answers, metric="acc_norm"), answers=[answers], settings=QUICK)


def test_a_target_at_chance_is_flagged_everywhere_and_left_out_once():
    tables = analysed(grid())
    flagged = tables["degenerate"]
    assert flagged.select("task", "language").rows() == [("alpha", "de")]
    assert "not above chance (25.0%)" in flagged["reason"][0]
    cells = tables["cells"]
    assert cells.filter("degenerate").select("target_task", "target_language").unique().rows() == [("alpha", "de")]
    regimes = {row["regime"]: row for row in tables["regimes"].iter_rows(named=True)}
    sound = {row["regime"]: row for row in tables[f"regimes{SOUND}"].iter_rows(named=True)}
    assert {name: row["n_degenerate"] for name, row in regimes.items()} == {
        "MT-ML": 1, "MT-CL": 2, "CT-ML": 1, "CT-CL": 2, "transfer": 5,
    }  # fmt: skip
    assert {name: regimes[name]["n"] - sound[name]["n"] for name in regimes} == {
        name: row["n_degenerate"] for name, row in regimes.items()
    }
    assert all(row["n_degenerate"] == 0 for row in sound.values())
    assert {row["mean_noise_se_pp"] is None for row in sound.values()} == {False}
    kept = cells.filter(~pl.col("degenerate") & (pl.col("regime") == "MT-CL"))
    assert sound["MT-CL"]["mean_pp"] == pytest.approx(kept["delta_pp"].mean())
    roles = tables["roles_language"].filter(pl.col("language") == "de").row(0, named=True)
    without = tables[f"roles_language{SOUND}"].filter(pl.col("language") == "de").row(0, named=True)
    assert roles["n_recipient_cells"] - without["n_recipient_cells"] == 2
    assert roles["n_donor_cells"] == without["n_donor_cells"]


def test_a_model_that_always_says_the_same_letter_is_found_from_its_answers():
    rng = np.random.default_rng(1)
    size = len(TASKS) * len(LANGUAGES) * N_ITEMS
    gold = rng.integers(0, 4, size)
    gold[:N_ITEMS] = np.where(rng.random(N_ITEMS) < 0.4, 0, gold[:N_ITEMS])
    chosen = np.where(rng.random(size) < 0.6, gold, (gold + 1) % 4)
    chosen[:N_ITEMS] = 0

    def frame(picked):
        return item_frame(picked == gold).with_columns(
            answer=pl.Series(gold, dtype=pl.Int32), chosen=pl.Series(picked), chosen_norm=pl.Series(picked)
        )

    answers = pair_answers(frame(chosen), [(run_of(task, "en"), frame(chosen)) for task in TASKS])
    row = analysed(answers)["degenerate"].row(0, named=True)
    assert (row["task"], row["language"]) == ("alpha", "de")
    assert row["score_base"] > 0.4
    assert "same option (entropy 0.00" in row["reason"]


def test_generated_answers_have_no_options_and_no_chance():
    rng = np.random.default_rng(2)
    right = rng.random(len(TASKS) * len(LANGUAGES) * 30) < 0.1

    def frame(correct):
        nothing = {name: pl.lit(None, dtype=pl.Int32) for name in ("answer", "chosen", "chosen_norm")}
        return item_frame(correct).with_columns(**nothing)

    answers = pair_answers(frame(right), [(run_of(task, "en"), frame(right)) for task in TASKS])
    table = analysed(answers)["baselines"]
    assert table["chance"].null_count() == table["chosen_entropy"].null_count() == table.height == 6
    assert not table["degenerate"].any()


def test_without_degenerate_targets_both_sets_are_equal():
    tables = analysed(grid(at_chance=False))
    assert tables["degenerate"].height == 0
    for name in ("regimes", "roles_language", "variance", "pareto"):
        assert tables[name].equals(tables[f"{name}{SOUND}"])


def test_a_table_without_answers_is_judged_by_its_scores(slices):
    tables = analyse(read_tables(slices).deltas, settings=QUICK)
    flagged = set(tables["degenerate"].select("model", "task", "language").rows())
    assert flagged == {
        ("Llama-3.1-8B-Instruct", "global_mmlu", "pt"),
        ("Qwen2.5-7B-Instruct", "global_mmlu", "pt"),
    }
    unknown = tables["baselines"].filter(pl.col("task") == "truthfulqa")
    assert unknown["chance"].null_count() == unknown.height
    assert not unknown["degenerate"].any()


def test_the_shared_baseline_noise_is_that_of_the_mean_over_sources():
    """Only the baseline is noisy: every source sees the same error, and the correction takes most of it away."""
    rng = np.random.default_rng(3)
    size = len(TASKS) * len(LANGUAGES) * N_ITEMS
    truth = rng.random(size) < 0.5
    base = truth ^ (rng.random(size) < 0.1)
    runs = [(run_of(task, language), item_frame(truth)) for task in TASKS for language in LANGUAGES]
    answers = pair_answers(item_frame(base), runs)
    table = analysed(answers)["baselines"]
    flips = (truth != base).reshape(6, N_ITEMS).mean(axis=1)
    np.testing.assert_allclose(table["shared_se_pp"], 100 * np.sqrt(flips / N_ITEMS), rtol=0.1)
    centre = table["mean_delta_pp"].mean()
    assert ((table["corrected_delta_pp"] - centre).abs() <= (table["mean_delta_pp"] - centre).abs() + 1e-12).all()
    specific = analysed(answers)["specific_regimes"].filter(pl.col("control") == "other sources")
    np.testing.assert_allclose(specific["mean_pp"], 0.0, atol=1e-12)


def test_a_random_grid_has_the_same_tables_twice():
    answers = pair_answers(*random_grid(5))
    first, second = analysed(answers), analysed(answers)
    assert all(first[name].equals(second[name]) for name in first)


def test_noise_and_intervals_are_judged_again_among_the_sound_targets():
    answers = grid()
    settings = AnalysisSettings(n_bootstrap=50, n_permutations=0, n_splits=5)
    tables = analyse(deltas(answers, metric="acc_norm"), answers=[answers], settings=settings)
    for name in ("noise", "intervals", "sources", "choosing"):
        assert tables[name].height
        assert tables[f"{name}{SOUND}"].columns == tables[name].columns
    all_targets, sound = (tables[f"noise{end}"].filter(regime="transfer").row(0, named=True) for end in ("", SOUND))
    assert all_targets["n"] - sound["n"] == 5
    degenerate = tables["cells"].filter("degenerate")
    assert set(degenerate["verdict"]) == {"undecided"}
    assert all_targets["safe_rate"] * all_targets["n"] == pytest.approx(
        tables["cells"].filter(pl.col("regime") != "MT-ML")["verdict"].eq("safe").sum()
    )
    values = {
        end: dict(tables[f"intervals{end}"].filter(name="transfer").select("statistic", "value").iter_rows())
        for end in ("", SOUND)
    }
    regimes = tables[f"regimes{SOUND}"].filter(regime="transfer")
    assert values[SOUND]["harm_rate"] == pytest.approx(regimes["harm_rate"][0])
    assert values[SOUND]["mean_pp"] != values[""]["mean_pp"]


def test_where_no_target_is_sound_its_tables_are_empty():
    tables = analysed(grid(share=0.25, at_chance=False))
    assert tables["degenerate"].height == len(TASKS) * len(LANGUAGES)
    assert tables["regimes"].height
    for name in ("regimes", "noise", "intervals", "sources", "roles_language", "variance"):
        assert tables[f"{name}{SOUND}"].height == 0
    assert set(tables["verdicts"]["verdict"]) == {"undecided"}
