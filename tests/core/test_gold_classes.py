"""The classes of gold answers: labels that items share, or positions."""

from donorgrid.core.gold_classes import gold_labels, gold_strata
from donorgrid.core.records import Cell, Item, TrainingText

CELL = Cell(task="quiz", language="en")


def items(*options: tuple[tuple[str, ...], int]) -> list[Item]:
    return [
        Item(id=str(number), cell=CELL, context="?", choices=choices, answer=answer)
        for number, (choices, answer) in enumerate(options)
    ]


def test_labels_count_wherever_they_stand_among_the_choices() -> None:
    shuffled = items((("red", "blue"), 0), (("blue", "red"), 1), (("red", "blue"), 1))
    assert gold_labels(shuffled) == gold_strata(shuffled) == ["red", "red", "blue"]


def test_the_label_within_choices_that_repeat_the_item() -> None:
    """As lm-eval writes XNLI."""
    statements = items(
        *(((f"{a}, right? Yes, {b}", f"{a}, right? Also, {b}", f"{a}, right? No, {b}"), 2) for a, b in ("xy", "vw"))
    )
    assert gold_labels(statements) == ["No", "No"]


def test_positions_are_strata_where_every_item_has_choices_of_its_own() -> None:
    own = items(*(((f"true {number}a", f"false {number}b"), 0) for number in range(4)))
    assert len(set(gold_labels(own) or ())) == 4
    assert gold_strata(own) == [0, 0, 0, 0]


def test_free_answers_and_training_texts() -> None:
    assert gold_strata(items((("yes",), 0), (("no",), 0), (("yes",), 0))) == ["yes", "no", "yes"]
    assert len(set(gold_strata(items(*(((str(number),), 0) for number in range(30)))))) == 1
    letters = TrainingText(item_id="1", prompt="?", target=" B", answer=1, alternatives=(" A", " B"))
    whole = TrainingText(item_id="2", prompt="?", target=" so it is", loss_on="all")
    assert gold_labels([letters]) == ["B"]
    assert gold_labels([whole]) is None
    assert gold_labels(items(((), 0))) is None
