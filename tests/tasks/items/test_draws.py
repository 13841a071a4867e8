"""Limits of items, and what is said of splits whose right answers are nearly all the same."""

import pytest

from donorgrid.core.records import Cell, CellItems, Item, TrainingText
from donorgrid.tasks import draw_items, one_class_notes, one_class_reasons

TOPICS = ("science", "travel", "sports")


def topics(language: str = "en", *counts: int) -> tuple[Item, ...]:
    """A file that is sorted by topic."""
    answers = [answer for answer, count in enumerate(counts) for _ in range(count)]
    cell = Cell(task="topic", language=language)
    return tuple(
        Item(id=f"q{number}", cell=cell, context="?", choices=TOPICS, answer=answer)
        for number, answer in enumerate(answers)
    )


def cell_items(*, test: tuple[Item, ...] = (), train: tuple[TrainingText, ...] = ()) -> CellItems:
    return CellItems(cell=Cell(task="topic", language="en"), train=train, test=test)


def test_a_limit_keeps_proportions_and_the_order_of_the_file() -> None:
    english, german = topics("en", 60, 30, 10), topics("de", 60, 30, 10)[::-1]
    first, second = draw_items([english, german], 20)
    assert [item.answer for item in first] == [0] * 12 + [1] * 6 + [2] * 2
    assert [item.id for item in first] == [item.id for item in second][::-1]
    assert [item for item in english if item in first] == list(first)
    assert draw_items([english], 20, seed=7) != [first]


@pytest.mark.parametrize("count", [None, 100, 101])
def test_a_limit_that_nothing_exceeds_keeps_all(count: int | None) -> None:
    assert draw_items([topics("en", 60, 30, 10)], count) == [topics("en", 60, 30, 10)]


def test_a_split_with_nearly_one_right_answer_is_named() -> None:
    sound, first_rows = topics("en", 17, 2), topics("en", 18, 2)
    assert one_class_notes(cell_items(test=sound)) == ()
    assert one_class_reasons(cell_items(test=first_rows)) == {
        "test": "18 of 20 items have the same right answer, 'science'"
    }
    texts = tuple(TrainingText(item_id=str(number), prompt="?", target=" yes") for number in range(5))
    (note,) = one_class_notes(cell_items(train=texts))
    assert note == "train: every item has the same right answer, 'yes': training on it teaches one answer"


def test_a_right_answer_that_always_stands_first_is_no_class() -> None:
    """As in TruthfulQA of lm-eval: the choices are the item's own, and the model does not see their positions."""
    cell = Cell(task="truth", language="en")
    items = tuple(
        Item(id=str(number), cell=cell, context="?", choices=(f"{number} moons", f"{number + 1} suns"), answer=0)
        for number in range(30)
    )
    assert one_class_reasons(cell_items(test=items)) == {}
