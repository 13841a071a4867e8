import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import rankdata

from donorgrid.statistics.rankings.ranks import average_ranks


@settings(deadline=None, max_examples=100)
@given(st.integers(1, 12), st.integers(1, 5), st.integers(0, 2**32))
def test_as_scipy_with_ties_and_holes(n, n_rows, seed):
    rng = np.random.default_rng(seed)
    values = rng.integers(0, 4, size=(n_rows, n)).astype(float)
    values[rng.random(values.shape) < 0.05] = np.nan
    np.testing.assert_array_equal(average_ranks(values), rankdata(values, axis=1))


@pytest.mark.parametrize("shape", [(0,), (3, 0), (0, 3)])
def test_nothing_has_no_ranks(shape):
    assert average_ranks(np.empty(shape)).shape == shape
