"""A drafted mapping has an entry for every file and guesses no baseline that may be a fine-tune."""

from pathlib import Path

import yaml
from lm_eval_outputs import write_mapping, write_output

from donorgrid.exchange import ImportedAnswers, draft_mapping, import_lm_eval
from donorgrid.exchange.folders import write_import
from donorgrid.exchange.lm_eval.draft import UNKNOWN

DATES = [f"2026-01-0{day}T00-00-00.000000" for day in range(1, 5)]


def vllm(adapter: str | None) -> dict:
    lora = {"enable_lora": True, "lora_local_path": adapter, "max_lora_rank": 16} if adapter else {}
    return {"model": "vllm", "model_args": {"pretrained": "m/llama", **lora}}


def drafted(*paths: Path) -> dict:
    return yaml.safe_load(draft_mapping(paths))


def test_files_in_one_folder_have_an_entry_each(tmp_path):
    for date, adapter in zip(DATES, (None, "a/de", "a/it"), strict=False):
        write_output(tmp_path / "m__llama", seed=len(adapter or ""), date=date, config=vllm(adapter))
    runs = drafted(tmp_path)["runs"]
    assert list(runs) == [f"m__llama/results_{date}.json" for date in DATES[:3]]
    assert [run.get("baseline", False) for run in runs.values()] == [True, False, False]
    text = draft_mapping([tmp_path]).replace(UNKNOWN, "quiz/de", 2).replace(UNKNOWN, "quiz/it")
    (tmp_path / "map.yaml").write_text(text.replace("quiz/de.", "cells."))
    imported = import_lm_eval([tmp_path], mapping_file=tmp_path / "map.yaml")
    assert isinstance(imported, ImportedAnswers)
    assert len(imported.subjects) == 3


def test_a_model_without_an_adapter_may_be_a_fine_tune(tmp_path):
    for number, model in enumerate(("org/base", "merged/de/final", "merged/it/final")):
        config = {"model": "hf", "model_args": {"pretrained": model}}
        write_output(tmp_path / str(number), seed=number, config=config)
    write_output(
        tmp_path / "3", seed=3, config={"model": "vllm", "model_args": {"pretrained": "org/x", "enable_lora": True}}
    )
    runs = drafted(tmp_path)["runs"]
    assert not any("baseline" in run for run in runs.values())
    assert [run["model"] for run in runs.values()] == ["base", "merged-de-final", "merged-it-final", "x"]
    assert draft_mapping([tmp_path]).count("# names no adapter: if it is the base model, write 'baseline: true'") == 3


def test_the_mapping_may_lie_anywhere(tmp_path, monkeypatch):
    write_output(tmp_path / "in" / "results" / "base", seed=0)
    write_output(tmp_path / "in" / "results" / "de", seed=1, peft="a")
    monkeypatch.chdir(tmp_path / "in")
    (tmp_path / "map.yaml").write_text(draft_mapping([Path("results")]).replace(UNKNOWN, "quiz/de"))
    imported = import_lm_eval([Path("results")], mapping_file=tmp_path / "map.yaml")
    assert len(imported.subjects) == 2


def test_tasks_without_a_language_get_a_line(tmp_path):
    groups = {"mmlu": ["mmlu_law", "mmlu_sub"], "mmlu_sub": ["mmlu_sub_art"],
              "gmmlu_de": ["gmmlu_de_law", "gmmlu_de_art"],
              "quiz": ["quiz_de", "hellaswag"], "suite": ["hellaswag", "boolq"]}  # fmt: skip
    names = (
        "mmlu_law",
        "mmlu_sub_art",
        "gmmlu_de_law",
        "gmmlu_de_art",
        "quiz_de",
        "hellaswag",
        "hellaswag_it",
        "boolq",
    )
    results = {name: {"acc,none": 0.5} for name in (*names, *groups)}
    write_output(tmp_path, seed=0, results=results, group_subtasks=groups)
    assert drafted(tmp_path)["tasks"] == {
        **{name: {"task": name, "language": "en"} for name in ("boolq", "hellaswag", "mmlu")},
        "gmmlu_{language}": "gmmlu",
        "hellaswag_{language}": "hellaswag",
        "quiz_{language}": "quiz",
    }


def test_an_english_task_without_a_suffix_is_a_cell(tmp_path):
    for name, run in (("base", {}), ("de", {"peft": "a"})):
        write_output(tmp_path / name, seed=len(run), **run)
        for path in (tmp_path / name).iterdir():
            path.write_text(path.read_text().replace("quiz_de", "quiz"))
            path.rename(path.with_name(path.name.replace("quiz_de", "quiz")))
    tasks = {"quiz": {"task": "quiz", "language": "en"}, "quiz_{language}": "quiz"}
    runs = {"base": {"model": "m", "baseline": True}, "de": {"model": "m", "source": "quiz/en"}}
    imported = import_lm_eval([tmp_path], mapping_file=write_mapping(tmp_path, tasks=tasks, runs=runs))
    assert imported.read(imported.subjects[0])["target_language"].unique().sort().to_list() == ["en", "it"]


def test_a_line_break_in_a_name_ends_no_comment(tmp_path):
    write_output(tmp_path / "a", seed=0, peft="x\ntasks: {}")
    assert list(drafted(tmp_path)) == ["tasks", "runs"]


def test_answers_that_all_equal_the_base_models_are_said(tmp_path):
    for name, seed in (("base", 0), ("de", 0), ("it", 1)):
        write_output(tmp_path / "in" / name, seed=seed, peft=None if name == "base" else name)
    imported = import_lm_eval([tmp_path / "in"], mapping_file=write_mapping(tmp_path))
    (note,) = [note for note in write_import(imported, tmp_path / "out") if "was the adapter applied?" in note]
    assert note.endswith("(was the adapter applied?): qwen, quiz/de, recipe unspecified, train_seed 17")
