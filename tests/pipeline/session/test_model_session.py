"""A model session: one rule for the longest input, items packed once per target, generated rows, the active adapter."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from adapters import make_adapter
from donorgrid.core.errors import InputError
from donorgrid.core.records import Cell, Item
from donorgrid.models.folders import ModelFolder, find_model
from donorgrid.pipeline.prepare.tokenizers import max_input_length, n_tokens_cut, sequence_length
from donorgrid.pipeline.session.generated_rows import generated_rows
from donorgrid.pipeline.session.model_session import ModelSession
from donorgrid.pipeline.session.records import AnswerTarget, Generation, SessionSettings
from donorgrid.score.encode import EncodedItem
from donorgrid.score.scorer import Scorer
from worlds import make_checkpoint, make_documents

CELL = Cell(task="colours", language="de")


def items_of(*, count: int = 6, seed: int = 0) -> tuple[Item, ...]:
    return tuple(
        Item(id=row["id"], cell=CELL, context=row["question"], choices=tuple(row["choices"]), answer=row["answer"])
        for row in make_documents("colours", "de", count=count, seed=seed)
    )


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("session")
    make_checkpoint("llama", root / "base")
    make_adapter(root / "base", root / "wild", strength=1.0)
    return root


@pytest.fixture(scope="module")
def folder(root: Path) -> ModelFolder:
    return find_model("base", revision=None, folder=root, built_in={})


def session_of(folder: ModelFolder, **changes: Any) -> ModelSession:
    return ModelSession(folder, SessionSettings(**{"precision": "fp32", "device": "cpu", **changes}))


@pytest.mark.parametrize(
    ("max_positions", "model_max_length", "expected"),
    [(256, 1024, 256), (None, 1024, 1024), (0, 1024, 1024), (None, 10**30, 2048), (10**9, 512, 512)],
)
def test_the_longest_input_is_the_models_then_the_tokenizers_then_2048(
    max_positions: int | None, model_max_length: int, expected: int
) -> None:
    folder: Any = SimpleNamespace(max_positions=max_positions)
    assert max_input_length(folder, SimpleNamespace(model_max_length=model_max_length)) == expected


def test_the_last_token_of_an_option_is_not_read_and_so_not_cut() -> None:
    item = EncodedItem(item=items_of()[0], context=(1, 2, 3), continuations=((4,), (4, 5, 6)))
    assert sequence_length(item) == 6
    assert [n_tokens_cut(item, length) for length in (3, 4, 5, 6)] == [2, 1, 0, 0]


def test_items_are_packed_once_per_target_and_two_targets_of_one_name_are_two(
    folder: ModelFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    packed: list[int] = []
    original = Scorer.pack

    def pack(self: Scorer, items: Any) -> Any:
        packed.append(len(items))
        return original(self, items)

    monkeypatch.setattr(Scorer, "pack", pack)
    session = session_of(folder)
    first = AnswerTarget(name="colours", items=items_of(seed=0))
    second = AnswerTarget(name="colours", items=items_of(count=4, seed=1))
    answers = [session.answer(target) for target in (first, second, first, second)]
    assert packed == [6, 4]
    assert answers[0].equals(answers[2])
    assert answers[1]["item_id"].to_list() == [item.id for item in second.items]


def test_answers_change_while_an_adapter_is_active_and_come_back(root: Path, folder: ModelFolder) -> None:
    session = session_of(folder)
    target = AnswerTarget(name="colours", items=items_of())
    before = session.answer(target)
    with session.active(root / "wild"):
        assert not session.answer(target)["choice_logliks_nats"].equals(before["choice_logliks_nats"])
    with session.active(None):
        assert session.answer(target).equals(before)


def test_an_adapter_of_another_base_is_refused(root: Path, folder: ModelFolder, tmp_path: Path) -> None:
    make_checkpoint("gpt-neox", tmp_path / "base")
    session = session_of(find_model("base", revision=None, folder=tmp_path, built_in={}))
    with (
        pytest.raises(InputError, match=r"it was made for another base: .* has no model\.layers\.0"),
        session.active(root / "wild"),
    ):
        pass


def test_without_a_chat_template_none_can_be_asked_for(folder: ModelFolder) -> None:
    with pytest.raises(InputError, match=r"^[^\n]*the tokenizer has no chat template[^\n]*$"):
        session_of(folder, chat_template=True)


def test_generated_texts_are_judged_where_a_rule_is_given() -> None:
    items = items_of(count=2)
    judged = generated_rows(items, ["rot", "nichts"], lambda text, accepted: text in accepted)
    assert judged["correct"].to_list() == [True, False]
    later = generated_rows(items, ["rot", "nichts"])
    assert later["correct"].to_list() == [None, None]
    assert later.drop("correct").equals(judged.drop("correct"))
    assert later["generated"].to_list() == ["rot", "nichts"]


def test_a_generation_is_judged_by_the_rule_of_its_target(folder: ModelFolder) -> None:
    session = session_of(folder)
    generation = Generation(until=("\n",), max_new_tokens=4, is_right=lambda text, accepted: text != accepted)
    answers = session.answer(AnswerTarget(name="colours", items=items_of(count=2), generation=generation))
    assert answers["correct"].to_list() == [True, True]
    assert answers["choice_logliks_nats"].to_list() == [[], []]
