"""When a baseline measures format and not skill."""

import numpy as np

from donorgrid.statistics.degeneracy import degenerate_reasons


def reasons(chosen: np.ndarray, gold: np.ndarray, n_choices: int = 4) -> tuple[str, ...]:
    return degenerate_reasons(
        n_right=int((chosen == gold).sum()), chosen=chosen, gold=gold, n_choices=np.full(gold.size, n_choices)
    )


def test_a_skilled_baseline_has_no_reason() -> None:
    gold = np.arange(200) % 4
    assert reasons(np.where(np.arange(200) < 150, gold, (gold + 1) % 4), gold) == ()


def test_a_baseline_at_chance_is_named_with_both_numbers() -> None:
    gold = np.arange(200) % 4
    (reason,) = reasons(np.roll(np.repeat(np.arange(4), 50), 7), gold)
    assert "25.0% is not above chance (25.0%)" in reason


def test_always_the_same_letter_is_named_even_above_chance() -> None:
    gold = np.where(np.arange(200) < 120, 0, np.arange(200) % 4)
    (reason,) = reasons(np.zeros(200, dtype=np.int64), gold)
    assert "nearly always chooses the same option (entropy 0.00" in reason
