"""Limits of a study: the same items in all languages, few-shot examples from the whole pool, keys of what was drawn."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from donorgrid.core.names import StudyFolder
from donorgrid.core.records import Cell, Item, TrainingText
from donorgrid.pipeline.analyse.tables import analyse_folder
from donorgrid.pipeline.prepare.notes import notes_of
from donorgrid.pipeline.prepare.study import Prepared, prepare
from donorgrid.pipeline.prepare.work_keys import make_workplan
from donorgrid.pipeline.run.options import RunOptions
from donorgrid.pipeline.run.run_study import run_study
from donorgrid.store.logs import read_manifests
from worlds import make_study

EN = Cell(task="colours", language="en")


def prepared(folder: Path, **changes: object) -> Prepared:
    return prepare(make_study(folder, **changes), StudyFolder(folder / "out"))


Documents = list[dict[str, Any]]


def rewrite(file: Path, change: Callable[[Documents], Documents]) -> None:
    documents = [json.loads(line) for line in file.read_text().splitlines()]
    file.write_text("".join(json.dumps(document) + "\n" for document in change(documents)))


def ids_of(records: Sequence[Item | TrainingText]) -> list[str]:
    return [record.id if isinstance(record, Item) else record.item_id for record in records]


def test_limits_draw_the_same_items_in_every_language(tmp_path: Path) -> None:
    whole = prepared(tmp_path)
    file = make_study(tmp_path, limits={"train_items": 9, "test_items": 6})
    rewrite(tmp_path / "colours-de-test.jsonl", lambda documents: documents[:2] + documents[3:])
    limited = prepare(file, StudyFolder(tmp_path / "out"))
    for split, count in (("train", 9), ("test", 6)):
        ids = {tuple(ids_of(getattr(items, split))) for items in limited.cells.values()}
        assert len(ids) == 1
        assert len(ids.pop()) == count
    first = tuple(item.id for item in whole.cells[EN].test[:6])
    assert tuple(item.id for item in limited.cells[EN].test) != first
    again = prepared(tmp_path, limits={"train_items": 9, "test_items": 6, "draw_seed": 7})
    assert again.cells[EN].test != limited.cells[EN].test
    assert make_workplan(again).conditions != make_workplan(limited).conditions
    assert make_workplan(again).training_keys != make_workplan(limited).training_keys


def test_few_shot_examples_come_from_the_whole_pool(tmp_path: Path) -> None:
    sources = ["colours/de", {"control": "few-shot", "of": "colours/de", "shots": 3}]
    whole = prepared(tmp_path, sources=sources)
    limited = prepared(tmp_path, sources=sources, limits={"train_items": 4, "test_items": 6})
    assert whole.examples == limited.examples


def one_colour(documents: Documents) -> Documents:
    """The documents with the same colour as every right answer."""
    return [{**document, "answer": document["choices"].index(sorted(document["choices"])[0])} for document in documents]


@pytest.fixture(scope="module")
def one_answer(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str]]:
    folder = tmp_path_factory.mktemp("one")
    file = make_study(folder, languages=["de", "en"], limits={"train_items": 12, "test_items": 8})
    rewrite(folder / "colours-de-test.jsonl", one_colour)
    notes: list[str] = []
    run_study(file, folder / "out", options=RunOptions(device="cpu", jobs=1), on_note=notes.append)
    return folder, notes


def test_one_right_answer_is_said_before_a_run_and_in_its_manifest(one_answer: tuple[Path, list[str]]) -> None:
    folder, notes = one_answer
    note = "colours/de: test: every item has the same right answer, 'blau': it measures format, not skill"
    assert note in notes
    (manifest,) = read_manifests(StudyFolder(folder / "out"))
    assert note in manifest["notes"]
    assert manifest["items"]["colours/de"]["test"]["used"] == 8
    assert manifest["study"]["limits"]["draw_seed"] == 42


def test_one_right_answer_is_degenerate_in_the_tables(one_answer: tuple[Path, list[str]]) -> None:
    folder, _ = one_answer
    degenerate = analyse_folder(StudyFolder(folder / "out")).tables["degenerate"]
    reasons = degenerate.filter(pl.col("language") == "de")["reason"].to_list()
    assert reasons
    assert all("every item has the same right answer, 'blau'" in reason for reason in reasons)
    others = degenerate.filter(pl.col("language") == "en")["reason"].to_list()
    assert not any("right answer" in reason for reason in others)


def test_training_texts_of_one_answer_are_said(tmp_path: Path) -> None:
    file = make_study(tmp_path)
    rewrite(tmp_path / "colours-it-train.jsonl", one_colour)
    study = prepare(file, StudyFolder(tmp_path / "out"))
    assert [note for note in notes_of(study) if "teaches one answer" in note] == [
        "colours/it: train: every item has the same right answer, 'azzurro': training on it teaches one answer"
    ]
