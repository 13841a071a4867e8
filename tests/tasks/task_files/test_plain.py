"""Data files without YAML."""

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from donorgrid.core.errors import InputError
from donorgrid.tasks import find_task, load_cell

ROWS = [
    {"id": f"{split}{n}", "language": language, "split": split, "question": f"{language} {n}?",
     "choices": ["yes", 'it\'s "no"'], "answer": n}
    for language in ("de", "fr") for split in ("train", "test") for n in (0, 1)
]  # fmt: skip


def write_rows(path, rows: list[dict[str, Any]]) -> None:
    if path.suffix == ".jsonl":
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    elif path.suffix == ".parquet":
        pl.DataFrame(rows).write_parquet(path)
    else:
        flat = [{**row, "choices": json.dumps(row["choices"])} for row in rows]
        pl.DataFrame(flat).write_csv(path, separator="\t" if path.suffix == ".tsv" else ",")


@pytest.mark.parametrize("name", ["quiz.jsonl", "quiz.csv", "quiz.tsv", "quiz.parquet"])
def test_one_file_holds_languages_and_splits(tmp_path, name):
    write_rows(tmp_path / name, ROWS)
    task = find_task(name, folder=tmp_path)
    assert (task.name, task.languages, task.has_training_split) == ("quiz", ("de", "fr"), True)
    cell = load_cell(task, "fr", sources={})
    assert [(item.id, item.answer) for item in cell.test] == [("test0", 0), ("test1", 1)]
    assert cell.test[0].context == "Question: fr 0?\nAnswer:"
    assert cell.test[0].choices == ("yes", 'it\'s "no"')
    assert [text.target for text in cell.train] == [" yes", ' it\'s "no"']


def test_paths_may_tell_languages_and_splits_apart(tmp_path):
    for language in ("de", "fr"):
        for split in ("train", "test"):
            rows = [row for row in ROWS if (row["language"], row["split"]) == (language, split)]
            write_rows(tmp_path / f"q_{split}.{language}.jsonl", rows)
    task = find_task("q_{split}.{language}.jsonl", folder=tmp_path)
    assert task.languages == ("de", "fr")
    cell = load_cell(task, "de", sources={})
    assert [item.id for item in cell.test] == ["test0", "test1"]
    assert [text.item_id for text in cell.train] == ["train0", "train1"]


def test_columns_may_have_other_names_and_choices_their_own_columns(tmp_path):
    rows = [{"lang": "tr", "premise": "p", "one": "x", "two": "7", "gold": "7"}]
    pl.DataFrame(rows).write_csv(tmp_path / "x.csv")
    columns = {"language": "lang", "question": "premise", "choices": ["one", "two"], "answer": "gold"}
    cell = load_cell(find_task("x.csv", folder=tmp_path, columns=columns), "tr", sources={})
    (item,) = cell.test
    assert (item.choices, item.answer, cell.train) == (("x", "7"), 1, ())
    assert "can be a target, not a source" in " ".join(cell.notes)


def test_csv_cells_stay_as_they_are_written(tmp_path):
    (tmp_path / "x.csv").write_text('id,language,question,choices,answer\n007,de,1.50,"[""a"", ""b""]",1\n')
    (item,) = load_cell(find_task("x.csv", folder=tmp_path), "de", sources={}).test
    assert (item.id, item.context, item.answer) == ("007", "Question: 1.50\nAnswer:", 1)


@pytest.mark.parametrize("row", [{"split": ["test"]}, {"split": None}, {"choices": None, "answer": "1"}])
def test_cells_of_a_wrong_kind_are_one_line(tmp_path: Path, row: dict) -> None:
    good = {"id": "a", "language": "de", "split": "test", "question": "?", "choices": ["x", "y"], "answer": 0}
    (tmp_path / "quiz.jsonl").write_text(json.dumps({**good, **row}) + "\n")
    with pytest.raises(InputError):
        load_cell(find_task("quiz.jsonl", folder=tmp_path), "de", sources={})


def written(folder: Path, rows: list[tuple[str, str, str]]) -> Path:
    lines = [f"{number},de,{question},{choices},{answer}" for number, (question, choices, answer) in enumerate(rows)]
    (folder / "quiz.csv").write_text("\n".join(["id,language,question,choices,answer", *lines]) + "\n")
    return folder


def test_answers_in_digits_are_read_by_one_rule_for_the_whole_file(tmp_path: Path) -> None:
    def gold(rows: list[tuple[str, str, str]]) -> list[int]:
        task = find_task("quiz.csv", folder=written(tmp_path, rows))
        return [item.answer for item in load_cell(task, "de", sources={}).test]

    quoted = '"[""1"", ""2"", ""3""]"'
    assert gold([("?", quoted, "3"), ("?", quoted, "1")]) == [2, 0]  # 3 is no number of a choice: all are texts
    assert gold([("?", '"[""x"", ""y""]"', "1"), ("?", quoted, "1")]) == [1, 1]  # 1 is no text of the first: numbers
    with pytest.raises(InputError, match="could be the number of a choice or its text"):
        gold([("?", quoted, "1"), ("?", quoted, "2")])
