"""Every results file is found, whatever its name and folder, and every file that is left out is named."""

import json
from pathlib import Path

import pytest
from lm_eval_outputs import DATE, RUNS, write_mapping, write_output, write_runs

from donorgrid.core.errors import InputError
from donorgrid.exchange import ImportedTable, import_lm_eval
from donorgrid.exchange.lm_eval.find import find_outputs


def named(path: Path, name: str) -> Path:
    return path.rename(path.with_name(name))


def test_output_path_may_end_in_json(tmp_path):
    write_runs(tmp_path)
    named(tmp_path / "de" / f"results_{DATE}.json", f"tuned_{DATE}.json")
    imported = import_lm_eval([tmp_path], mapping_file=write_mapping(tmp_path))
    assert not isinstance(imported, ImportedTable)  # its samples are found too
    assert len(imported.subjects) == 3


def test_nested_and_linked_folders_are_searched_once(tmp_path):
    write_output(tmp_path / "in" / "a" / "b" / "org__model", seed=0)
    write_output(tmp_path / "elsewhere", seed=1)
    (tmp_path / "in" / "link").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "in" / "a" / "loop").symlink_to(tmp_path / "in")
    found = find_outputs([tmp_path / "in", tmp_path / "in" / "a"])
    assert [output.path.relative_to(tmp_path / "in").parts[0] for output in found.outputs] == ["a", "link"]


def test_what_is_left_out_has_its_reason(tmp_path):
    mapping = write_runs(tmp_path)
    (tmp_path / "de" / "adapter_config.json").write_text('{"r": 8}')
    (tmp_path / "de" / "half.json").write_text('{"results": ')
    (tmp_path / "it" / "samples_quiz_de_2020-01-01T00-00-00.0.jsonl").write_text("{}\n")
    write_output(tmp_path / "de", seed=1, peft="adapters/de", date="2020-01-01T00-00-00.000000")
    write_output(tmp_path / "stray", seed=1)
    notes = [note for note in import_lm_eval([tmp_path], mapping_file=mapping).notes if note.startswith("left out")]
    assert sorted(note.removeprefix("left out, because ").replace(f"{tmp_path}/", "") for note in notes) == [
        "it holds no results of lm-eval: de/adapter_config.json",
        "its results file is not there: it/samples_quiz_de_2020-01-01T00-00-00.0.jsonl",
        "newer results of the same subject have its tasks: de/results_2020-01-01T00-00-00.000000.json",
        f"no run names it: stray/results_{DATE}.json",
        "not valid JSON (Expecting value): de/half.json",
    ]


@pytest.mark.parametrize("arguments", [
    {"pretrained": "m", "peft": "x"}, {"pretrained": "m", "lora_local_path": "x", "enable_lora": True},
    "pretrained=m,delta=x", {"pretrained": "m", "max_lora_rank": 16, "adapter_name_or_path": "x"},
])  # fmt: skip
def test_backends_have_different_words_for_an_adapter(tmp_path, arguments):
    path = write_output(tmp_path, seed=0, config={"model": "vllm", "model_args": arguments})
    (output,) = find_outputs([path]).outputs
    assert (output.pretrained, output.adapter, output.may_be_tuned) == ("m", "x", True)


def test_a_folder_with_several_adapters_is_no_single_run(tmp_path):
    mapping = write_runs(tmp_path)
    write_output(tmp_path / "base", seed=1, peft="adapters/de", date="2027-01-01T00-00-00.000000")
    with pytest.raises(InputError, match=r"runs: 'base' holds results of several models or adapters: .*; give each fi"):
        import_lm_eval([tmp_path], mapping_file=mapping)


def test_files_of_one_model_and_adapter_may_be_runs_of_one_subject(tmp_path):
    first = write_output(tmp_path / "all", seed=0, languages=("de",))
    second = write_output(tmp_path / "all", seed=0, languages=("it",), date="2027-01-01T00-00-00.000000")
    tuned = write_output(tmp_path / "all", seed=1, peft="a", date="2027-01-02T00-00-00.000000")
    runs = {f"all/{first.name}": RUNS["base"], f"all/{second.name}": RUNS["base"], f"all/{tuned.name}": RUNS["de"]}
    imported = import_lm_eval([tmp_path], mapping_file=write_mapping(tmp_path, runs=runs))
    assert imported.read(imported.subjects[0])["target_language"].unique().sort().to_list() == ["de", "it"]
    assert len(imported.subjects) == 2


def test_an_adapter_that_was_not_loaded_is_asked_about(tmp_path):
    write_runs(tmp_path)
    write_output(tmp_path / "de", seed=0)
    notes = import_lm_eval([tmp_path], mapping_file=write_mapping(tmp_path)).notes
    assert any(note.startswith("run 'de' is of org/Qwen2.5-0.5B without an adapter, as its base") for note in notes)


def test_a_file_without_a_date_is_older_than_one_with_a_date(tmp_path):
    mapping = write_runs(tmp_path, log_samples=False)
    named(write_output(tmp_path / "de", seed=9, peft="adapters/de", log_samples=False, date="x"), "results.json")
    notes = import_lm_eval([tmp_path], mapping_file=mapping).notes
    assert f"left out, because newer results of the same subject have its tasks: {tmp_path}/de/results.json" in notes


def test_names_of_tasks_are_no_paths(tmp_path):
    path = write_output(tmp_path, seed=0)
    content = json.loads(path.read_text())
    odd = ["../quiz_de", "a/b", "\0", "x" * 300, ""]
    content["results"] |= {name: {"acc,none": 0.5} for name in odd}
    content["group_subtasks"] = {"round": ["about"], "about": ["round", "quiz_de"]}
    path.write_text(json.dumps(content))
    (output,) = find_outputs([path]).outputs
    assert [output.tasks[name].samples for name in odd] == [None] * 5
    mapping = write_mapping(tmp_path, tasks={"round": {"task": "quiz", "language": "de"}}, runs={".": RUNS["base"]})
    with pytest.raises(InputError, match="has only its base model"):
        import_lm_eval([tmp_path], mapping_file=mapping)
