"""When a generated answer is right: case, punctuation and the chosen match count as the task says."""

import pytest

from donorgrid.tasks.items.generation import GenerationRules
from donorgrid.tasks.task_files.key_blocks import ExactMatch, FilterStep


def rules(*steps: FilterStep, **options: bool) -> GenerationRules:
    return GenerationRules(until=(), max_new_tokens=8, steps=steps, exact_match=ExactMatch(**options))


@pytest.mark.parametrize(
    ("options", "text", "right"),
    [
        ({}, "Red", False),
        ({"ignore_case": True}, "Red", True),
        ({}, "red.", False),
        ({"ignore_punctuation": True}, "red.", True),
        ({"ignore_case": True}, "red.", False),
    ],
)
def test_what_is_ignored_is_what_the_task_says(options: dict[str, bool], text: str, right: bool) -> None:
    assert rules(**options).is_right(text, ("red",)) is right


@pytest.mark.parametrize(("group_select", "answer"), [(0, "1"), (1, "2"), (-1, "3"), (5, "[invalid]")])
def test_the_match_that_is_named_is_the_answer(group_select: int, answer: str) -> None:
    step = FilterStep(function="regex", regex_pattern=r"(\d)", group_select=group_select)
    assert rules(step).answer_in("1 and 2 make 3") == answer
