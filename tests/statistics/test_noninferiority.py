"""Bounds of paired differences: golden numbers, mirror symmetry, order, and the level by exact enumeration."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest, multinomial

from donorgrid.statistics.noninferiority import lower_bound, p_value_above, score_statistic, upper_bound


def test_the_statistic_is_tangos() -> None:
    # Tango (1998), section 4, the crossover trial of soft contact lenses: 44 pairs, 43 alike, b = 0, c = 1, d0 = -0.1.
    assert float(score_statistic(np.array(0), np.array(1), 44, -0.1)) == pytest.approx(1.709, abs=5e-4)


def test_at_no_difference_the_statistic_is_mcnemars() -> None:
    assert float(score_statistic(np.array(12), np.array(5), 300, 0.0)) == pytest.approx((12 - 5) / np.sqrt(12 + 5))


def test_nothing_but_agreement_excludes_what_the_rule_of_three_excludes() -> None:
    # No loss in n items: a loss rate q is excluded when (1 - q)^n <= 0.05 - 0.001.
    for n_items in (100, 300, 1000):
        assert -lower_bound(0, 0, n_items) == pytest.approx(1 - 0.049 ** (1 / n_items), rel=0.01)


@pytest.mark.parametrize(("gains", "losses", "bound"), [(0, 0, -0.05), (3, 4, -0.1), (6, 2, 0.0)])
def test_the_p_value_is_the_largest_tail_and_pays_for_the_flip_rates_left_out(
    gains: int, losses: int, bound: float
) -> None:
    """By enumeration; the 0.1% by which the flip rate may lie outside its interval is added (Berger & Boos 1994)."""
    n_items = 80
    counts = np.array([(b, c) for b in range(n_items + 1) for c in range(n_items + 1 - b)])
    statistics = score_statistic(counts[:, 0], counts[:, 1], n_items, bound)
    extreme = counts[statistics >= float(score_statistic(np.array(gains), np.array(losses), n_items, bound)) - 1e-9]
    outcomes = np.column_stack([extreme, n_items - extreme.sum(axis=1)])
    inside = binomtest(gains + losses, n_items).proportion_ci(confidence_level=0.999)
    rates = np.linspace(max(inside.low, abs(bound), 1e-9), inside.high, 32)
    tails = [multinomial.pmf(outcomes, n_items, [(r + bound) / 2, (r - bound) / 2, 1 - r]).sum() for r in rates]
    assert p_value_above(gains, losses, n_items, bound) == pytest.approx(max(tails) + 0.001, abs=2e-6)


flips = st.tuples(st.integers(0, 30), st.integers(0, 30), st.integers(60, 400))


@settings(max_examples=25, deadline=None)
@given(flips)
def test_bounds_enclose_the_difference_and_mirror(counts: tuple[int, int, int]) -> None:
    gains, losses, n_items = counts
    low, high = lower_bound(gains, losses, n_items), upper_bound(gains, losses, n_items)
    assert -1 <= low <= (gains - losses) / n_items <= high <= 1
    assert low == -upper_bound(losses, gains, n_items)


@settings(max_examples=15, deadline=None)
@given(flips)
def test_one_more_loss_never_raises_the_lower_bound(counts: tuple[int, int, int]) -> None:
    gains, losses, n_items = counts
    assert lower_bound(gains, losses + 1, n_items) <= lower_bound(gains, losses, n_items) + 4e-5


@settings(max_examples=15, deadline=None)
@given(flips)
def test_the_bound_is_where_the_test_turns(counts: tuple[int, int, int]) -> None:
    gains, losses, n_items = counts
    low = lower_bound(gains, losses, n_items)
    assert p_value_above(gains, losses, n_items, low) <= 0.05
    assert p_value_above(gains, losses, n_items, low + 4e-5) > 0.05


@pytest.mark.parametrize("n_items", [60, 160, 235])
@pytest.mark.parametrize("flip_rate", [0.02, 0.03, 0.06])
def test_the_level_holds_exactly(n_items: int, flip_rate: float) -> None:
    """The probability of a false rejection, summed over all outcomes, where p - q is exactly the tested bound."""
    bound = -0.02
    gain, loss = (flip_rate + bound) / 2, (flip_rate - bound) / 2
    wrong = 0.0
    for gains in range(20):
        for losses in range(25):
            chance = multinomial.pmf([gains, losses, n_items - gains - losses], n_items, [gain, loss, 1 - gain - loss])
            if chance > 1e-7 and p_value_above(gains, losses, n_items, bound) <= 0.05:
                wrong += float(chance)
    assert wrong <= 0.05


def test_more_flips_widen_the_interval() -> None:
    widths = [upper_bound(one, one, 400) - lower_bound(one, one, 400) for one in (0, 2, 8, 32)]
    assert widths == sorted(widths)
