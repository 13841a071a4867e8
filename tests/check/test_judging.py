"""From item answers to the result of a check."""

import numpy as np
import pytest
from answers_by_hand import subject_answers, target_answers, verdicts_of

from donorgrid.check import CheckSettings, judge
from donorgrid.core.errors import InputError

SETTINGS = CheckSettings(limit_pp=1.0)


def test_judge_orders_targets_and_lists_what_every_adapter_broke() -> None:
    targets = [
        target_answers("safe/de", (30, 0), (25, 0)),
        target_answers("gain/de", (40, 0), (0, 40), role="on"),
        target_answers("harm/de", (0, 50), (0, 45)),
    ]
    result = judge("base", ["first", "second"], targets, SETTINGS)
    first, second = result.adapters
    assert verdicts_of(first.targets) == {"gain/de": "gained", "safe/de": "safe", "harm/de": "harmed"}
    assert verdicts_of(second.on) == {"gain/de": "lost"}
    assert (first.joint, second.joint) == ("harmed", "harmed")
    assert result.broken_by_all == {"harm/de": tuple(f"q{number}" for number in range(45))}


def test_limits_and_empty_checks_are_refused() -> None:
    with pytest.raises(InputError, match="from -100 to 0"):
        CheckSettings(limit_pp=-1.0)
    with pytest.raises(InputError, match="at least one adapter"):
        judge("base", [], [target_answers("t")], SETTINGS)
    with pytest.raises(InputError, match="one target"):
        judge("base", ["first"], [], SETTINGS)


def test_example_answers_are_wrong_where_they_should_be() -> None:
    gold = np.arange(8) % 4
    correct = np.array([True, False] * 4)
    assert ((subject_answers(correct, gold).chosen == gold) == correct).all()
