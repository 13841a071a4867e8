"""The exit code of a check."""

import pytest
from answers_by_hand import target_answers

from donorgrid.check import CheckSettings, exit_code, judge

SETTINGS = CheckSettings(limit_pp=1.0)


@pytest.mark.parametrize(
    ("change", "strict", "lenient"), [((40, 0), 0, 0), ((10, 10), 1, 0), ((0, 50), 1, 1)], ids=["safe", "open", "harm"]
)
def test_the_exit_code_says_whether_every_guard_is_safe(change: tuple[int, int], strict: int, lenient: int) -> None:
    targets = [
        target_answers("a/de", (40, 0)),
        target_answers("b/de", change),
        target_answers("on/de", (0, 90), role="on"),
    ]
    result = judge("base", ["mine"], targets, SETTINGS)
    assert (exit_code(result), exit_code(result, allow_undecided=True)) == (strict, lenient)


def test_the_exit_code_is_that_of_the_worst_adapter() -> None:
    for changes in (((40, 0), (0, 40)), ((0, 40), (40, 0))):
        result = judge("base", ["first", "second"], [target_answers("a/de", *changes)], SETTINGS)
        assert exit_code(result) == 1
