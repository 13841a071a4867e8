"""Proportions and percent in one column are told apart from scores that are merely low."""

import polars as pl
import pytest

from donorgrid.core.tables.units import mixed_units

MIXED = [
    ([0.50, 0.48, 68.4, 52.4], "aabb", (0, 2)),  # one cell in proportions, another in percent
    ([0.50, 51.0], "aa", (0, 1)),  # both in one cell
    ([1.0, 100.0, 0.9], "aba", (0, 1)),
    ([0.0, None, 30.0, 0.3], "abcd", (3, 2)),
]
ONE_UNIT = [
    ([0.5, 1.0, 0.0], "abc"),
    ([50.0, 100.0, 0.0], "abc"),
    ([0.8, 2.4, 1.6, 30.0], "aaab"),  # a weak model's percent
    ([0.0, 0.0, 30.0], "aab"),
    ([-3.0, 0.5], "ab"),
    ([None, float("nan"), 0.5], "abc"),
]


@pytest.mark.parametrize(("values", "cells", "rows"), MIXED)
def test_a_mixed_column(values, cells, rows):
    assert mixed_units(pl.Series(values), pl.Series(list(cells))) == rows


@pytest.mark.parametrize(("values", "cells"), ONE_UNIT)
def test_a_column_of_one_unit(values, cells):
    assert mixed_units(pl.Series(values), pl.Series(list(cells))) is None
