"""Intervals of means by hand."""

import numpy as np
import pytest
from scipy.stats import norm
from scipy.stats import t as student

from donorgrid.statistics.errors.intervals import (
    drawn_mean_interval,
    effective_count,
    median_interval,
    normal_bounds,
    t_interval,
    units_quantile,
)
from donorgrid.statistics.paired import pseudo_variance


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


def test_an_interval_of_a_mean_holds_it_and_is_never_certain() -> None:
    quantile = units_quantile(0.95)
    rng = np.random.default_rng(3)
    for value in (-100.0, -2.0, 0.0, 40.0, 100.0):
        for spread in (0.0, 0.5, 30.0):
            draws = value + spread * rng.standard_normal(200)
            low, high = drawn_mean_interval(value, draws, pseudo_variance=pseudo_variance(50), quantile=quantile)
            assert -100.0 <= low <= value <= high <= 100.0
            assert low < high
    low, high = drawn_mean_interval(1.0, np.array([0.0, 2.0]), pseudo_variance=3.0, quantile=quantile)
    assert (low, high) == pytest.approx((1 - 2 * 1.959964, 1 + 2 * 1.959964))


def test_few_models_take_students_quantile() -> None:
    assert units_quantile(0.95) == pytest.approx(norm.ppf(0.975))
    assert units_quantile(0.95, 3) == pytest.approx(student.ppf(0.975, 2))


def test_independent_cells_count_for_themselves() -> None:
    rng = np.random.default_rng(4)
    draws, first, second = (rng.binomial(12, 0.3, 40_000) / 12 for _ in range(3))
    assert effective_count(draws, (first, second), 12) == pytest.approx(12, rel=0.03)
    all_alike = rng.binomial(1, 0.3, 40_000).astype(float)
    again = tuple(rng.binomial(1, 0.3, 40_000).astype(float) for _ in range(2))
    assert effective_count(all_alike, again, 12) == pytest.approx(1, rel=0.03)
    assert effective_count(all_alike, again, 12, further=0.21) == pytest.approx(0.5, rel=0.03)


def test_what_drawing_takes_from_the_variance_comes_back() -> None:
    rng = np.random.default_rng(5)
    draws = 0.5 + 0.06 * rng.standard_normal(40_000)
    first, second = (0.5 + 0.05 * rng.standard_normal(40_000) for _ in range(2))
    assert effective_count(draws, (first, second), 12) == pytest.approx(0.25 / (0.06**4 / 0.05**2), rel=0.03)


def test_draws_that_never_differ_count_the_cells() -> None:
    for rate in (0.0, 0.5, 1.0):
        draws = np.full(100, rate)
        assert effective_count(draws, (draws, draws), 12) == 12.0


def test_the_interval_of_a_median_covers_it() -> None:
    rng = np.random.default_rng(0)
    for n in (6, 9, 18, 44):
        inside = 0
        for _ in range(2000):
            values = rng.standard_cauchy(n)
            low, high = median_interval(values, 0.95)
            assert low <= np.median(values) <= high
            inside += low <= 0.0 <= high
        assert inside / 2000 >= 0.95 - 2.5 * np.sqrt(0.05 * 0.95 / 2000)
    assert median_interval(np.arange(9.0), 0.95) == (1.0, 7.0)


def test_too_few_values_have_no_interval_of_their_median() -> None:
    for n in range(6):
        assert median_interval(np.arange(float(n)), 0.95) == (None, None)
