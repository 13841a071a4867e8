"""Intervals of means by hand."""

import numpy as np
import pytest
from scipy.stats import t as student

from donorgrid.statistics.errors.intervals import median_interval, normal_bounds, reversed_interval, t_interval


def test_the_interval_of_a_mean_over_models_is_students() -> None:
    values = np.array([1.0, 2.0, 4.0, 9.0])
    found = t_interval(values, 0.9)
    expected = student.interval(0.9, 3, loc=4.0, scale=np.std(values, ddof=1) / 2)
    assert (found.mean, found.se) == pytest.approx((4.0, np.std(values, ddof=1) / 2))
    assert (found.low, found.high) == pytest.approx(expected)
    assert t_interval(values[:1], 0.9) == (1.0, None, None, None)


def test_bounds_of_a_normal_estimate() -> None:
    low, high = normal_bounds(np.array([1.0]), np.array([2.0]), 0.025)
    assert (low[0], high[0]) == pytest.approx((1 - 1.959964 * 2, 1 + 1.959964 * 2))


def test_a_reversed_interval_takes_the_bias_of_the_draws_back() -> None:
    draws = np.linspace(10.0, 20.0, 101)
    assert reversed_interval(12.0, draws, 0.9) == pytest.approx((24 - 19.5, 24 - 10.5))


def test_an_interval_of_a_median_lies_among_the_values() -> None:
    rng = np.random.default_rng(0)
    low, high = median_interval(np.arange(9.0), n_draws=500, confidence=0.95, rng=rng)
    assert low is not None
    assert high is not None
    assert 0 <= low < 4 < high <= 8
    assert median_interval(np.arange(1.0), n_draws=500, confidence=0.95, rng=rng) == (None, None)
