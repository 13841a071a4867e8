"""Task files as lm-eval's users write them: folders, compressed files, further metrics; the items are lm-eval's."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from donorgrid.core.errors import InputError
from donorgrid.core.records import CellItems
from donorgrid.tasks import find_task, load_cell

ROWS = [
    {"question": f"How many {animal}?", "choices": ["one", "two", "three", "four"], "answer": number % 4}
    for number, animal in enumerate(("cats", "dogs", "birds", "fish", "bees"))
]
SHARED = {
    "task": "animals",
    "output_type": "multiple_choice",
    "test_split": "test",
    "doc_to_text": "question",
    "doc_to_choice": "choices",
    "doc_to_target": "answer",
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    lines = "".join(json.dumps(row) + "\n" for row in ROWS)
    (tmp_path / "ds" / "more").mkdir(parents=True)
    (tmp_path / "ds" / "test.jsonl").write_text(lines)
    (tmp_path / "ds" / "more" / "train.jsonl").write_text(lines)
    (tmp_path / "q.jsonl.gz").write_bytes(gzip.compress(lines.encode()))
    (tmp_path / "utils.py").write_text("raise SystemExit('task files run no code')\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HF_DATASETS_CACHE", str(tmp_path / "cache"))
    return tmp_path


def items(folder: Path, text: str) -> CellItems:
    (folder / "t.yaml").write_text(text)
    return load_cell(find_task("t.yaml", folder=folder, languages=["en"]), "en", sources={})


def same_as_lm_eval(folder: Path, changes: dict[str, Any]) -> None:
    """Compares questions, choices and right answers with those of lm-eval's own task."""
    from lm_eval.api.task import ConfigurableTask

    task = ConfigurableTask(config={**SHARED, **changes})
    documents = list(task.eval_docs)
    expected = [(task.doc_to_text(row), tuple(task.doc_to_choice(row)), task.doc_to_target(row)) for row in documents]
    cell = items(folder, yaml.safe_dump({**SHARED, **changes}))
    assert [(item.context, item.choices, item.answer) for item in cell.test] == expected
    assert len(expected) == len(ROWS)


DATA = {
    "data_dir": {"dataset_path": "json", "dataset_kwargs": {"data_dir": "ds"}},
    "files in data_dir": {
        "dataset_path": "json", "dataset_kwargs": {"data_dir": "ds", "data_files": {"test": "test.jsonl"}},
    },
    "a relative folder": {"dataset_path": "./ds"},
    "a folder without a dot": {"dataset_path": "ds"},
    "a part of a folder": {"dataset_path": "./ds", "dataset_kwargs": {"data_dir": "more"}, "test_split": "train"},
    "a compressed file": {"dataset_path": "json", "dataset_kwargs": {"data_files": {"test": "q.jsonl.gz"}}},
    "a pattern": {"dataset_path": "json", "dataset_kwargs": {"data_files": {"test": "ds/*.jsonl"}}},
}  # fmt: skip


@pytest.mark.parametrize("changes", DATA.values(), ids=DATA)
def test_folders_and_compressed_files_are_read_as_lm_eval_reads_them(folder: Path, changes: dict[str, Any]) -> None:
    same_as_lm_eval(folder, changes)


def test_paths_start_from_the_task_file_then_from_the_current_folder(folder: Path) -> None:
    (folder / "tasks").mkdir()
    for changes in (DATA["a relative folder"], DATA["data_dir"], DATA["a compressed file"]):
        assert len(items(folder / "tasks", yaml.safe_dump({**SHARED, **changes})).test) == len(ROWS)


def test_code_of_a_data_set_is_never_run(folder: Path) -> None:
    local = {
        "dataset_path": "json",
        "dataset_kwargs": {"data_files": {"test": "q.jsonl.gz"}, "trust_remote_code": True},
    }
    cell = items(folder, yaml.safe_dump({**SHARED, **local}))
    assert len(cell.test) == len(ROWS)
    assert "trust_remote_code: true has no effect: code of a data set is never run" in cell.notes
    (folder / "code").mkdir()
    (folder / "code" / "code.py").write_text("raise SystemExit('task files run no code')\n")
    script = {"dataset_path": "./code", "dataset_kwargs": {"trust_remote_code": True}}
    with pytest.raises(InputError, match="cannot be read: Dataset scripts are no longer supported"):
        items(folder, yaml.safe_dump({**SHARED, **script}))


METRICS = [
    ("[{metric: acc}, {metric: mcc, aggregation: matthews_corrcoef, higher_is_better: true}]", "mcc"),
    ("[{metric: f1, aggregation: !function utils.macro_f1}, {metric: acc}]", "f1"),
    ("[{metric: acc}, {metric: brier_score, higher_is_better: false}]", "brier_score"),
    ("[{metric: acc}, {metric: !function utils.mine, aggregation: !function utils.mean}]", "!function utils.mine"),
    ("[{metric: acc, aggregation: mean}, {metric: perplexity, aggregation: [1, 2]}, {metric: f1}]", "perplexity, f1"),
]


@pytest.mark.parametrize(("metrics", "left_out"), METRICS, ids=[left_out for _, left_out in METRICS])
def test_further_metrics_are_left_out_with_a_note(folder: Path, metrics: str, left_out: str) -> None:
    written = yaml.safe_dump({**SHARED, **DATA["a compressed file"]}) + f"metric_list: {metrics}\n"
    cell = items(folder, written)
    assert len(cell.test) == len(ROWS)
    assert f"metrics not computed: {left_out}" in cell.notes


@pytest.mark.parametrize("entry", ["aggregation: !function utils.mean", "higher_is_better: false", "aggregation: max"])
def test_a_computed_metric_with_another_meaning_is_refused(folder: Path, entry: str) -> None:
    written = yaml.safe_dump({**SHARED, **DATA["a compressed file"]}) + f"metric_list: [{{metric: acc, {entry}}}]\n"
    with pytest.raises(InputError, match="metric_list"):
        items(folder, written)
