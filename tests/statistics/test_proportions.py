import numpy as np
import pytest
from scipy.stats import binomtest, entropy

from donorgrid.statistics.proportions import relative_entropy_of_choices, wilson_interval


@pytest.mark.parametrize(("k", "n"), [(0, 10), (3, 10), (94, 400), (400, 400)])
def test_wilson_equals_scipys(k, n):
    other = binomtest(k, n).proportion_ci(method="wilson")
    assert wilson_interval(k, n) == pytest.approx((other.low, other.high), abs=1e-12)


def test_no_items_say_nothing():
    assert wilson_interval(0, 0) == (0.0, 1.0)
    assert np.isnan(relative_entropy_of_choices(np.array([], dtype=np.int64), 4))


def test_entropy_of_choices():
    assert relative_entropy_of_choices(np.array([2, 2, 2]), 4) == 0.0
    assert relative_entropy_of_choices(np.array([0, 1, 2, 3]), 4) == pytest.approx(1.0)
    mixed = np.array([0, 0, 0, 1])
    assert relative_entropy_of_choices(mixed, 4) == pytest.approx(entropy([0.75, 0.25], base=4))
