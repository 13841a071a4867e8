"""Outputs of lm-eval become item answers, or totals, and what may not be compared is refused in one line."""

import json
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
from lm_eval_outputs import DATE, RUNS, sample_rows, write_mapping, write_output, write_rows, write_runs

from donorgrid.analyse import AnsweredRun, deltas_by_seed, pair_answers, read_tables
from donorgrid.core.errors import InputError
from donorgrid.exchange import ImportedAnswers, ImportedTable, draft_mapping, import_lm_eval, read_import, write_import


def deltas_of(imported: ImportedAnswers) -> pl.DataFrame:
    """What the pipeline does with imported answers."""
    frames = []
    for base, runs in imported.models():
        labelled = (
            (AnsweredRun(model=run.model, recipe=run.recipe, source=run.source, train_seed=run.train_seed,
                         data_seed=run.data_seed, train_size=run.train_size, family=run.family, size_b=run.size_b),
             imported.read(run))
            for run in runs
        )  # fmt: skip
        frames.append(deltas_by_seed(pair_answers(imported.read(base), labelled), metric="acc_norm"))
    return pl.concat(frames)


def right(seed: int, language: str, metric: str) -> int:
    return int(sum(row[metric] for row in sample_rows(f"quiz_{language}", seed=seed)))


def test_answers_are_lm_evals_and_so_are_the_deltas(tmp_path):
    imported = import_lm_eval([tmp_path], mapping_file=write_runs(tmp_path))
    assert isinstance(imported, ImportedAnswers)
    assert [str(one) for one in imported.subjects] == [
        "qwen, the base model",
        "qwen, quiz/de, recipe unspecified, train_seed 17",
        "qwen, quiz/it, recipe unspecified, train_seed 17",
    ]
    assert {(one.family, one.size_b) for one in imported.subjects} == {("Qwen2.5", 0.5)}
    found = deltas_of(imported)
    assert found.height == 4
    for seed, source in enumerate(("de", "it"), 1):
        for language in ("de", "it"):
            here = (pl.col("source_language") == source) & (pl.col("target_language") == language)
            row = found.row(by_predicate=here, named=True)
            assert row["n_items"] == 20
            assert row["n_right"] == right(seed, language, "acc")
            assert row["n_right_norm"] == right(seed, language, "acc_norm")
            assert row["n_right_norm_base"] == right(0, language, "acc_norm")
            assert row["regime"] == ("MT-ML" if source == language else "MT-CL")


def test_one_item_keeps_every_digit(tmp_path):
    imported = import_lm_eval([tmp_path], mapping_file=write_runs(tmp_path))
    row = imported.read(imported.subjects[0]).row(3, named=True)
    theirs = sample_rows("quiz_de", seed=0)[3]
    assert row["choice_logliks_nats"] == [float(one[0]) for one in theirs["filtered_resps"]]
    assert row["choice_lengths"] == [1, 2, 3]
    assert (row["item_id"], row["answer"], row["correct"]) == ("q3", 1, bool(theirs["acc"]))


def test_an_import_folder_reads_back_as_it_was(tmp_path):
    imported = import_lm_eval([tmp_path / "in"], mapping_file=write_runs(tmp_path / "in"))
    write_import(imported, tmp_path / "out")
    write_import(imported, tmp_path / "out")  # an import is replaced by the next
    again = read_import(tmp_path / "out")
    assert again.subjects == imported.subjects
    assert all(again.read(one).equals(imported.read(one)) for one in again.subjects)
    assert deltas_of(again).equals(deltas_of(imported))


def test_a_folder_with_other_things_is_left_alone(tmp_path):
    imported = import_lm_eval([tmp_path], mapping_file=write_runs(tmp_path))
    with pytest.raises(InputError, match="is not empty and holds no import"):
        write_import(imported, tmp_path)


def test_without_samples_totals_give_the_same_deltas(tmp_path):
    items = deltas_of(import_lm_eval([tmp_path / "a"], mapping_file=write_runs(tmp_path / "a")))
    imported = import_lm_eval([tmp_path / "b"], mapping_file=write_runs(tmp_path / "b", log_samples=False))
    assert isinstance(imported, ImportedTable)
    assert any("totals only, without paired errors; run lm_eval with --log_samples" in note for note in imported.notes)
    assert not any("at chance" in note for note in imported.notes)  # nothing is known of this task's options
    imported.frame.write_csv(tmp_path / "totals.csv")
    read = read_tables([tmp_path / "totals.csv"]).by_seed
    key = ["source_name", "target_language"]
    counts = [*key, "n_items", "n_right", "n_right_base", "n_right_norm", "n_right_norm_base", "delta_pp"]
    assert read.select(counts).sort(key).equals(items.select(counts).sort(key))


def test_totals_warn_of_targets_at_chance(tmp_path):
    write_runs(tmp_path, log_samples=False)
    runs = {name: {**run, **({"source": "belebele/de"} if "source" in run else {}), "train_seed": seed}
            for seed, (name, run) in enumerate(RUNS.items())}  # fmt: skip
    mapping = write_mapping(tmp_path, tasks={"quiz_{language}": "belebele"}, runs=runs)
    assert any("start at chance" in note for note in import_lm_eval([tmp_path], mapping_file=mapping).notes)


def test_without_id_field_the_document_is_the_id_and_that_is_said(tmp_path):
    write_runs(tmp_path)
    imported = import_lm_eval([tmp_path], mapping_file=write_mapping(tmp_path, id_field=None))
    assert any("items are not aligned across languages" in note for note in imported.notes)
    ids = imported.read(imported.subjects[0])["item_id"]
    assert ids.n_unique() == 40  # no ID is shared between the two languages
    assert deltas_of(imported).height == 4


def test_the_newest_results_of_a_subject_count(tmp_path):
    mapping = write_runs(tmp_path)
    write_output(tmp_path / "de", seed=9, peft="adapters/de", date="2027-01-01T00-00-00.000000")
    imported = import_lm_eval([tmp_path], mapping_file=mapping)
    assert any("2 tasks were evaluated more than once" in note for note in imported.notes)
    assert imported.read(imported.subjects[1])["correct"].sum() == right(9, "de", "acc") + right(9, "it", "acc")


def test_what_is_left_out_is_said(tmp_path):
    write_runs(tmp_path)
    write_output(tmp_path / "more" / "other", seed=5)
    write_output(tmp_path / "base", seed=5, languages=("ja",), date="2020-01-01T00-00-00.000000")
    mapping = write_mapping(tmp_path, tasks={"quiz_d{language}": "x", "quiz_{language}": "quiz"},
                            languages={"de": "x-deutsch"})  # fmt: skip
    imported = import_lm_eval([tmp_path], mapping_file=mapping)
    assert any("no run names it" in note and "other" in note for note in imported.notes)
    languages = imported.read(imported.subjects[0])["target_language"].unique().sort().to_list()
    assert languages == ["it", "ja", "x-deutsch"]


def test_a_group_is_its_subtasks(tmp_path):
    groups = {"all_de": ["quiz_de", "all_sub"], "all_sub": ["quiz_it"], "quiz_de": [], "quiz_it": []}
    write_runs(tmp_path, group_subtasks=groups)
    mapping = write_mapping(tmp_path, tasks={"all_{language}": "all"}, id_field=None)
    imported = import_lm_eval([tmp_path], mapping_file=mapping)
    answers = imported.read(imported.subjects[0])
    assert answers.select("target_task", "target_language").unique().rows() == [("all", "de")]
    assert answers.height == 40


def test_gold_answers_may_be_texts(tmp_path):
    mapping = write_runs(tmp_path)
    for name in RUNS:
        for path in (tmp_path / name).glob("samples_*"):
            rows = [json.loads(line) for line in path.read_text().splitlines()]
            write_rows(path, [{**row, "target": "bb"} for row in rows])
    imported = import_lm_eval([tmp_path], mapping_file=mapping)
    assert imported.read(imported.subjects[0])["answer"].unique().to_list() == [1]


def rewritten(folder: Path, change: Callable[[list[dict]], list[dict]]) -> None:
    """Change the rows of every samples file beneath a folder."""
    for path in folder.rglob("samples_*"):
        write_rows(path, change([json.loads(line) for line in path.read_text().splitlines()]))


def test_where_no_one_gold_answer_fits_right_and_wrong_are_lm_evals(tmp_path):
    write_runs(tmp_path)
    rewritten(tmp_path, lambda rows: [{**row, "target": "[0, 1]"} for row in rows])
    imported = import_lm_eval([tmp_path], mapping_file=write_mapping(tmp_path))
    answers = imported.read(imported.subjects[0])
    assert answers["answer"].null_count() == answers.height
    assert answers["correct"].sum() == right(0, "de", "acc") + right(0, "it", "acc")


def test_equal_documents_are_told_apart_by_how_often_they_stood_before(tmp_path):
    write_runs(tmp_path)
    rewritten(tmp_path, lambda rows: [*rows, rows[4], rows[4]])
    imported = import_lm_eval([tmp_path], mapping_file=write_mapping(tmp_path, id_field=None))
    german = imported.read(imported.subjects[0]).filter(pl.col("target_language") == "de")
    fifth = german["item_id"][4].partition("#")[0]
    assert german.filter(pl.col("item_id").str.starts_with(fifth))["item_id"].to_list() == [
        f"{fifth}#{n}" for n in range(3)
    ]
    assert deltas_of(imported)["n_items"].unique().to_list() == [22]


@pytest.mark.parametrize(("prefix", "written"), [(None, "{}"), ("It is", " {}"), ("It is ", "{}")])
def test_choices_under_a_chat_template_have_the_delimiter_that_lm_eval_wrote(tmp_path, prefix, written):
    configs = {f"quiz_{one}": {"gen_prefix": prefix, "target_delimiter": " "} for one in ("de", "it")}
    write_runs(tmp_path, chat_template="{{ messages }}", configs=configs)

    def with_options(rows: list[dict]) -> list[dict]:
        return [
            {**row, "arguments": {key: {**one, "arg_1": written.format(one["arg_1"][1:])}
                                  for key, one in row["arguments"].items()}}
            for row in rows
        ]  # fmt: skip

    rewritten(tmp_path, with_options)
    imported = import_lm_eval([tmp_path], mapping_file=write_mapping(tmp_path))
    assert imported.read(imported.subjects[0])["choice_lengths"][0].to_list() == [1, 2, 3]


def test_generated_answers_are_taken_by_their_filter(tmp_path):
    write_runs(tmp_path)
    for seed, name in enumerate(RUNS):
        for language in ("de", "it"):
            rows = sample_rows(f"quiz_{language}", seed=seed, filters=("strict", "flexible"))
            texts = [{**row, "filtered_resps": [f"{row['filter']} 7"], "exact_match": row["acc"]} for row in rows]
            cleaned = [{key: one for key, one in row.items() if not key.startswith("acc")} for row in texts]
            write_rows(tmp_path / name / f"samples_quiz_{language}_{DATE}.jsonl", cleaned)
    with pytest.raises(InputError, match=r"several filters \['strict', 'flexible'\]; name one in the mapping's"):
        deltas_of(import_lm_eval([tmp_path], mapping_file=write_mapping(tmp_path)))
    imported = import_lm_eval([tmp_path], mapping_file=write_mapping(tmp_path, filter="flexible"))
    answers = imported.read(imported.subjects[0])
    assert answers["generated"].unique().to_list() == ["flexible 7"]
    assert answers["choice_lengths"].list.len().unique().to_list() == [0]
    assert answers["correct"].sum() == right(0, "de", "acc") + right(0, "it", "acc")


def test_mixes_and_controls_are_sources_too(tmp_path):
    write_runs(tmp_path)
    runs = {
        "base": RUNS["base"],
        "de": {"model": "qwen", "source": {"mix": {"quiz/de": 1.0, "quiz/it": 3.0}, "name": "both"}},
        "it": {"model": "qwen", "source": {"control": "shuffled", "of": "quiz/it"}},
    }
    imported = import_lm_eval([tmp_path], mapping_file=write_mapping(tmp_path, runs=runs))
    found = deltas_of(imported)
    assert found["source_name"].unique().sort().to_list() == ["both", "shuffled:quiz/it"]
    assert found["regime"].null_count() == found.height


def test_a_drafted_mapping_says_what_was_found(tmp_path):
    write_runs(tmp_path)
    text = draft_mapping([tmp_path])
    assert "quiz_{language}: quiz" in text
    assert text.count("baseline: true") == 1
    assert text.count("source: TASK/LANGUAGE") == 2
    assert "model: Qwen2.5-0.5B" in text
    mapping = tmp_path / "draft.yaml"
    mapping.write_text(text.replace("TASK/LANGUAGE", "quiz/de", 1).replace("TASK/LANGUAGE", "quiz/it", 1))
    assert deltas_of(import_lm_eval([tmp_path], mapping_file=mapping)).height == 4
