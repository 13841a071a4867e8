"""Kept answers of a check: given again for whatever changes them, and for nothing else."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import polars as pl
import pytest

from donorgrid.core.records import Cell, Item
from donorgrid.core.tables import ITEM_ANSWERS
from donorgrid.models.folders import ModelFolder
from donorgrid.pipeline.check import answer_cache
from donorgrid.pipeline.check.answer_cache import answer_all
from donorgrid.pipeline.check.request import CheckRequest, TargetSpec
from donorgrid.pipeline.check.subjects import CheckSubject
from donorgrid.pipeline.check.targets import CheckTarget

FOLDER = ModelFolder(
    path=Path("/model"), weights_digest="w", tokenizer_digest="t", n_parameters=1, model_type="llama", max_positions=9
)
BASE = CheckSubject(name="base", folder=FOLDER)
CELL = Cell(task="t", language="de")
ITEMS = tuple(
    Item(id=str(number), cell=CELL, context=f"{number}?", choices=("a", "b"), answer=0) for number in range(3)
)
TARGET = CheckTarget(name="t/de", role="guard", cell=CELL, items=ITEMS)


class Answers:
    """Checks one after the other, with a session that notes what it is asked."""

    def __init__(self, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self._asked: list[str] = []
        self.activation = "merged"
        self._request = CheckRequest(base="base", adapters=("a",), guard=(TargetSpec.parse("t:de"),), cache=cache)
        monkeypatch.setattr(answer_cache, "open_session", self._session)

    def _session(self, folder: ModelFolder, _: Any) -> Any:
        @contextmanager
        def active(adapter: Path | None, *, strength: float = 1.0) -> Iterator[None]:
            yield

        def answer(target: Any) -> pl.DataFrame:
            self._asked.append(target.name)
            return pl.DataFrame(schema=dict(ITEM_ANSWERS.columns))

        return SimpleNamespace(
            folder=folder,
            active=active,
            answer=answer,
            max_length=9,
            n_items_cut=lambda _: 0,
            try_adapter=lambda _: self.activation,
        )

    def ask(self, subject: CheckSubject = BASE, target: CheckTarget = TARGET, **settings: Any) -> int:
        """How many targets a new check had to answer."""
        self._asked.clear()
        base, subjects = (subject, ()) if subject.adapter is None else (BASE, (subject,))
        answer_all(replace(self._request, **settings), base, subjects, [target], on_note=lambda _: None)
        return len(self._asked)

    def notes(self, subject: CheckSubject) -> tuple[str, ...]:
        """The notes on how adapters were active."""
        return answer_all(self._request, BASE, (subject,), [TARGET], on_note=lambda _: None)[1]


@pytest.fixture
def answers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Answers:
    return Answers(tmp_path, monkeypatch)


def test_answers_are_given_once(answers: Answers) -> None:
    assert answers.ask() == 1
    assert answers.ask() == 0
    assert answers.ask(replace(BASE, name="under another name")) == 0
    assert answers.ask(target=replace(TARGET, name="called otherwise", role="on")) == 0


@pytest.mark.parametrize("change", [{"precision": "bf16"}, {"exact_and_fast": True}, {"chat_template": True}])
def test_answers_under_another_setting_are_not_taken(answers: Answers, change: dict[str, Any]) -> None:
    assert answers.ask() == 1
    assert answers.ask(**change) == 1


def test_answers_of_another_model_or_adapter_are_not_taken(answers: Answers) -> None:
    assert answers.ask() == 1
    for folder in (replace(FOLDER, weights_digest="other"), replace(FOLDER, tokenizer_digest="other")):
        assert answers.ask(replace(BASE, folder=folder)) == 1
    for digest in ("one", "two"):
        assert answers.ask(adapter_of(digest)) == 1
        assert answers.ask(adapter_of(digest)) == 0


def adapter_of(digest: str) -> CheckSubject:
    return replace(BASE, name="adapter", adapter=Path("/a"), adapter_digest=digest)


def test_a_note_says_how_an_adapter_was_active_also_when_its_answers_are_kept(answers: Answers) -> None:
    answers.ask()
    for digest, answers.activation in (("one", "merged"), ("two", "unmerged")):
        notes = answers.notes(adapter_of(digest))
        assert notes[0].startswith(f"adapter: {answers.activation}")
        answers.activation = "never tried again"
        assert answers.notes(adapter_of(digest)) == notes


def test_answers_to_other_items_or_by_another_metric_are_not_taken(answers: Answers) -> None:
    assert answers.ask() == 1
    assert answers.ask(target=replace(TARGET, items=ITEMS[:2])) == 1
    assert answers.ask(target=replace(TARGET, norm=True)) == 1


def test_damaged_answers_are_given_again(answers: Answers, tmp_path: Path) -> None:
    assert (answers.ask(), answers.ask()) == (1, 0)
    (kept,) = tmp_path.rglob("*.parquet")
    content = bytearray(kept.read_bytes())
    content[len(content) // 2] ^= 1
    kept.write_bytes(content)
    assert (answers.ask(), answers.ask()) == (1, 0)
