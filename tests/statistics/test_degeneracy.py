"""When a baseline measures format and not skill."""

import numpy as np

from donorgrid.statistics.degeneracy import degenerate_states


def states(chosen: np.ndarray, gold: np.ndarray, n_choices: int = 4) -> dict[str, str]:
    return degenerate_states(
        n_right=int((chosen == gold).sum()), chosen=chosen, gold=gold, n_choices=np.full(gold.size, n_choices)
    )


def test_a_skilled_baseline_has_no_reason() -> None:
    gold = np.arange(200) % 4
    assert states(np.where(np.arange(200) < 150, gold, (gold + 1) % 4), gold) == {}


def test_a_baseline_at_chance_is_named_with_both_numbers() -> None:
    gold = np.arange(200) % 4
    ((state, reason),) = states(np.roll(np.repeat(np.arange(4), 50), 7), gold).items()
    assert state == "at chance"
    assert "25.0% is not above chance (25.0%)" in reason


def test_always_the_same_letter_is_named_even_above_chance() -> None:
    gold = np.where(np.arange(200) < 120, 0, np.arange(200) % 4)
    ((state, reason),) = states(np.zeros(200, dtype=np.int64), gold).items()
    assert state == "one option"
    assert "nearly always chooses the same option (entropy 0.00" in reason


def test_free_answers_are_degenerate_only_where_none_is_right() -> None:
    none = np.zeros(50, dtype=np.int64)
    free = {"chosen": none - 1, "gold": none, "n_choices": none}
    assert degenerate_states(n_right=1, **free) == {}
    assert degenerate_states(n_right=0, **free) == {"at zero": "its baseline has none of 50 answers right"}
