"""Products of small matrices against numpy's, for every width and height that they have."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from donorgrid.models.fast_cpu.small_products import ROWS, multiply, multiply_transposed, padded_width


@settings(max_examples=40, deadline=None)
@given(
    n_blocks=st.integers(1, 4), n_inner=st.integers(1, 40), width=st.integers(1, 100), first=st.integers(0, 5),
    seed=st.integers(0, 99),
)  # fmt: skip
def test_products_are_those_of_numpy(n_blocks: int, n_inner: int, width: int, first: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    n_columns, last = padded_width(width), first + n_inner
    left = rng.normal(size=(n_blocks * ROWS, last)).astype(np.float32)
    right = rng.normal(size=(last, n_columns + 16)).astype(np.float32)
    expected = left[:, first:] @ right[first:, :n_columns]
    for product, factor in ((multiply, left), (multiply_transposed, np.ascontiguousarray(left.T))):
        result = np.full((n_blocks * ROWS, n_columns + 32), 7.0, dtype=np.float32)
        for row in range(0, n_blocks * ROWS, ROWS):
            product(result, factor, right, row, first, last, n_columns)
        np.testing.assert_allclose(result[:, :n_columns], expected, rtol=1e-4, atol=1e-5)
        assert (result[:, n_columns:] == 7.0).all(), "written outside the columns of the product"


@pytest.mark.parametrize("n_inner", [1, 4, 30])
def test_bits_do_not_depend_on_the_width(n_inner: int) -> None:
    """So they do not depend on how the compiler groups columns into vectors either."""
    rng = np.random.default_rng(0)
    left, right = (rng.normal(size=shape).astype(np.float32) for shape in ((ROWS, n_inner), (n_inner, 80)))
    whole, column = np.empty((ROWS, 80), np.float32), np.empty((ROWS, 1), np.float32)
    multiply(whole, left, right, 0, 0, n_inner, 80)
    for index in range(80):
        multiply(column, left, np.ascontiguousarray(right[:, index : index + 1]), 0, 0, n_inner, 1)
        assert np.array_equal(whole[:, index : index + 1], column)


def test_widths_are_whole_vectors() -> None:
    assert [padded_width(n) for n in (1, 16, 17, 48, 49)] == [16, 16, 32, 48, 64]
