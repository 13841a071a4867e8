"""From log-likelihoods to rows: both choices are judged by the gold answer, and no answer is made of infinities."""

import pytest

from donorgrid.core.errors import RunFailure
from donorgrid.core.records import Cell, Item
from donorgrid.score.answers import item_answers
from donorgrid.score.encode import EncodedItem


def encoded(choices: tuple[str, ...], answer: int) -> EncodedItem:
    item = Item(id="q", cell=Cell(task="t", language="en"), context="?", choices=choices, answer=answer)
    return EncodedItem(item=item, context=(1,), continuations=tuple((2,) for _ in choices))


@pytest.mark.parametrize(("answer", "correct", "correct_norm"), [(0, True, False), (1, False, True), (2, False, False)])
def test_each_metric_judges_its_own_choice(answer: int, correct: bool, correct_norm: bool) -> None:
    item = encoded(("a", "bcde", "f"), answer)
    (row,) = item_answers([item], [[-3.0, -4.0, -9.0]], norm=True).to_dicts()
    assert (row["chosen"], row["chosen_norm"]) == (0, 1)
    assert (row["correct"], row["correct_norm"]) == (correct, correct_norm)
    assert row["choice_lengths"] == [1, 4, 1]
    assert row["answer"] == answer


def test_a_task_without_acc_norm_has_no_such_choice() -> None:
    (row,) = item_answers([encoded(("a", "b"), 0)], [[-1.0, -2.0]], norm=False).to_dicts()
    assert (row["chosen_norm"], row["correct_norm"]) == (None, None)


@pytest.mark.parametrize("wrong", [float("inf"), float("-inf"), float("nan")])
def test_log_likelihoods_that_are_not_finite_are_a_failure_of_the_run(wrong: float) -> None:
    with pytest.raises(RunFailure, match=r"item 'q' of 't/en'.*not finite"):
        item_answers([encoded(("a", "b"), 0)], [[-1.0, wrong]], norm=True)
