"""The next measurement is the one that can change the decision."""

import numpy as np
import pytest

from donorgrid.advise.next_step import next_steps, utilities
from donorgrid.advise.wishes import Wish
from donorgrid.core.records import Cell

WANTED, GUARD = Cell.parse("ask/de"), Cell.parse("ask/en")
WISH = Wish(wanted={WANTED: 1.0}, guards=(GUARD,))


def uncertain(sd: list[float], mean: list[float], seed: int = 0) -> np.ndarray:
    """Draws of options with independent gains, the guard untouched."""
    rng = np.random.default_rng(seed)
    gains = np.array(mean) + np.array(sd) * rng.standard_normal((2000, len(sd)))
    return np.stack([gains, np.zeros_like(gains)], axis=2)


def test_loss_beyond_the_limit_counts_twice() -> None:
    assert utilities(np.array([[[2.0, -3.0]]]), WISH).item() == pytest.approx(2.0 - 2 * 2.0)
    assert utilities(np.array([[[2.0, -0.5]]]), WISH).item() == pytest.approx(2.0)


def test_what_is_known_already_is_not_measured_first() -> None:
    draws = uncertain([0.01, 2.0, 0.01], [1.0, 0.8, 0.5])
    (step,) = next_steps(
        draws, WISH, noise_sd_pp=0.3, candidates=[0, 1, 2], costs=dict.fromkeys(range(3), 1.0), n_steps=1
    )
    assert step.option == 1
    expected = np.maximum(draws[:, 1, 0], draws[:, 0, 0]).mean() - draws[:, 0, 0].mean()
    assert step.improvement_pp == pytest.approx(expected, abs=0.1)


def test_a_dear_measurement_waits_and_steps_differ() -> None:
    draws = uncertain([2.0, 2.0, 2.0], [1.0, 1.0, 1.0])
    costs = {0: 100.0, 1: 1.0, 2: 1.0}
    steps = next_steps(draws, WISH, noise_sd_pp=0.3, candidates=[0, 1, 2], costs=costs, n_steps=3)
    assert [step.option for step in steps][-1] == 0
    assert len({step.option for step in steps}) == 3
    assert np.all(np.diff([step.improvement_pp for step in steps]) > -0.05)
