"""The harm rule: exact on counts, tolerant of round-off without them."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from donorgrid.statistics.harm import exact_limit, harmed, positive, verdicts


def test_a_delta_at_the_limit_is_harmed_and_one_item_above_is_not() -> None:
    gained, n_items = np.array([-2.0, -1.0, -3.0]), np.array([200.0, 200.0, 200.0])
    assert harmed(100 * gained / n_items, 1.0, gained=gained, n_items=n_items).tolist() == [True, False, True]


@given(st.integers(-400, 400), st.integers(400, 20_000), st.decimals("0.01", "5", places=2))
def test_counts_decide_as_fractions_do(gained: int, n_items: int, limit: object) -> None:
    exact = Fraction(100 * gained, n_items) <= -Fraction(str(limit))
    # The delta contradicts the counts on purpose: where counts are known, it has no say.
    wrong_delta = 0.0 if exact else -100.0
    assert bool(harmed(wrong_delta, float(str(limit)), gained=gained, n_items=n_items)) == exact
    assert bool(positive(-wrong_delta, gained=gained)) == (gained > 0)


def test_no_float_decides_where_products_are_large() -> None:
    """The limit has 15 decimals: 100 k q does not fit 64 bits."""
    n_items = 10_000_000
    limit = 1.000000000000001
    at = np.array([-100_000.0, -100_001.0])
    assert harmed(np.zeros(2), limit, gained=at, n_items=np.full(2, n_items)).tolist() == [False, True]


def test_round_off_does_not_decide_without_counts() -> None:
    just_above = -1.0 + 1e-12
    assert harmed(np.array([just_above, -0.999]), 1.0).tolist() == [True, False]
    assert not bool(harmed(just_above, 1.0, tolerance_pp=0.0)), "the release compares raw floats"
    assert positive(np.array([1e-12, 0.01])).tolist() == [False, True]
    assert bool(positive(1e-12, tolerance_pp=0.0))


def test_single_precision_deltas_have_their_own_tolerance() -> None:
    share = np.float32(100) * np.float32(-7) / np.float32(1000)
    assert float(share) > -0.7, "single precision rounds this delta to above the limit"
    assert bool(harmed(np.array(share), 0.7))
    assert not bool(harmed(np.float32(100) * np.float32(-699) / np.float32(100_000), 0.7))


def test_unknown_counts_fall_back_to_the_delta_and_unknown_deltas_are_not_harmed() -> None:
    gained, n_items = np.array([np.nan, -5.0, np.nan, 0.0]), np.array([np.nan, 100.0, 100.0, 0.0])
    delta = np.array([-2.0, 0.0, np.nan, np.nan])
    assert harmed(delta, 1.0, gained=gained, n_items=n_items).tolist() == [True, True, False, False]


@pytest.mark.parametrize(("limit", "exact"), [(0.1, Fraction(1, 10)), (1.0, Fraction(1)), (Fraction(2, 3),) * 2])
def test_a_limit_is_the_decimal_that_was_written(limit: float | Fraction, exact: Fraction) -> None:
    assert exact_limit(limit) == exact


def test_bounds_at_the_limit_leave_a_cell_undecided() -> None:
    low, high = np.array([-1.0, -0.9, -3.0, -3.0, np.nan]), np.array([1.0, 0.5, -1.0, -1.1, np.nan])
    assert verdicts(low, high, 1.0).tolist() == ["undecided", "safe", "undecided", "harmed", "undecided"]
