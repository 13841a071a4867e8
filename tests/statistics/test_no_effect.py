"""Against the exact distribution of gains and losses that are equally likely."""

import numpy as np
import pytest
from scipy.stats import binom

from donorgrid.statistics.no_effect import harm_without_effect


def exact(n_items: int, flip_rate: float, limit_pp: float) -> float:
    """P(delta <= -limit): of m flipped items, each is lost or gained with probability one half."""
    total = 0.0
    for flips in range(n_items + 1):
        lost = np.arange(flips + 1)
        harmed = 100.0 * (flips - 2 * lost) / n_items <= -limit_pp + 1e-12
        total += binom.pmf(flips, n_items, flip_rate) * binom.pmf(lost[harmed], flips, 0.5).sum()
    return total


@pytest.mark.parametrize(
    ("n_items", "flip_rate", "limit_pp"),
    [(24, 0.16, 1.0), (60, 0.1, 1.0), (150, 0.1, 1.0), (400, 0.06, 1.0), (100, 0.08, 2.5), (300, 0.06, 0.1)],
)
def test_the_normal_approximation_is_near_the_exact_distribution(
    n_items: int, flip_rate: float, limit_pp: float
) -> None:
    null_se_pp = 100.0 * np.sqrt(flip_rate / n_items)
    found = harm_without_effect(np.array([null_se_pp]), np.array([50.0 / n_items]), limit_pp)
    assert found[0] == pytest.approx(exact(n_items, flip_rate, limit_pp), abs=0.012)


def test_nothing_seems_harmed_more_often_than_not() -> None:
    n_items = np.arange(1, 500)
    found = harm_without_effect(np.full(n_items.size, 3.0), 50.0 / n_items, 0.01)
    assert (found <= 0.5).all()


def test_an_unknown_step_reads_the_limit_itself_and_unknown_noise_stays_unknown() -> None:
    found = harm_without_effect(np.array([1.0, 0.0, np.nan]), np.zeros(3), 1.0)
    assert found[0] == pytest.approx(0.15865525, abs=1e-8)
    assert found[1] == 0.0
    assert np.isnan(found[2])
