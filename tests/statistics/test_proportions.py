import numpy as np
import pytest
from scipy.stats import binomtest, entropy

from donorgrid.statistics.proportions import rate_interval, relative_entropy_of_choices, wilson_interval


@pytest.mark.parametrize(("k", "n"), [(0, 10), (3, 10), (94, 400), (400, 400)])
def test_wilson_equals_scipys(k, n):
    other = binomtest(k, n).proportion_ci(method="wilson")
    assert wilson_interval(k, n) == pytest.approx((other.low, other.high), abs=1e-12)


def test_a_rate_of_independent_cells_has_wilsons_interval():
    other = binomtest(3, 12).proportion_ci(method="wilson")
    assert rate_interval(0.25, 12, 1.959963984540054) == pytest.approx((other.low, other.high), abs=1e-12)


def test_an_interval_of_a_rate_holds_it_and_stays_a_rate():
    rng = np.random.default_rng(1)
    rates = np.concatenate([[0.0, 1.0], rng.random(500), rng.integers(0, 13, 500) / 12])
    for rate in rates:
        for effective in (0.05, 1.0, 12.0, 1e6):
            for quantile in (1.645, 1.96, 12.7):
                low, high = rate_interval(float(rate), effective, quantile)
                assert 0.0 <= low <= rate <= high <= 1.0
                assert low < high


def test_no_items_say_nothing():
    assert wilson_interval(0, 0) == (0.0, 1.0)
    assert np.isnan(relative_entropy_of_choices(np.array([], dtype=np.int64), 4))


def test_entropy_of_choices():
    assert relative_entropy_of_choices(np.array([2, 2, 2]), 4) == 0.0
    assert relative_entropy_of_choices(np.array([0, 1, 2, 3]), 4) == pytest.approx(1.0)
    mixed = np.array([0, 0, 0, 1])
    assert relative_entropy_of_choices(mixed, 4) == pytest.approx(entropy([0.75, 0.25], base=4))
