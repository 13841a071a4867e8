"""Products of small matrices against numpy's, of every width and height that they have."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from donorgrid.models.fast_cpu.small_products import ROWS, multiply, multiply_transposed, padded_width


@settings(max_examples=40, deadline=None)
@given(
    tiles=st.integers(1, 4), n_inner=st.integers(1, 40), width=st.integers(1, 100), skipped=st.integers(0, 5),
    seed=st.integers(0, 99),
)  # fmt: skip
def test_products_are_those_of_numpy(tiles: int, n_inner: int, width: int, skipped: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    wide, last = padded_width(width), skipped + n_inner
    left = rng.normal(size=(tiles * ROWS, last)).astype(np.float32)
    right = rng.normal(size=(last, wide + 16)).astype(np.float32)
    expected = left[:, skipped:] @ right[skipped:, :wide]
    for turned in (False, True):
        found = np.full((tiles * ROWS, wide + 32), 7.0, dtype=np.float32)
        for row in range(0, tiles * ROWS, ROWS):
            if turned:
                multiply_transposed(found, np.ascontiguousarray(left.T), right, row, skipped, last, wide)
            else:
                multiply(found, left, right, row, skipped, last, wide)
        np.testing.assert_allclose(found[:, :wide], expected, rtol=1e-4, atol=1e-5)
        assert (found[:, wide:] == 7.0).all(), "written beside the columns that were asked for"


def test_widths_are_whole_vectors() -> None:
    assert [padded_width(n) for n in (1, 16, 17, 48, 49)] == [16, 16, 32, 48, 64]
