"""Holm's adjustment by hand."""

import numpy as np
import pytest

from donorgrid.statistics.multiplicity import holm_adjusted


def test_no_adjusted_p_value_is_below_that_of_a_smaller_one() -> None:
    adjusted = holm_adjusted(np.array([0.01, 0.04, 0.03, 0.005]))
    assert adjusted == pytest.approx([0.03, 0.06, 0.06, 0.02])  # 0.04 alone would stay 0.04


def test_adjusted_p_values_are_at_most_one_and_a_single_one_stays() -> None:
    assert holm_adjusted(np.array([0.6, 0.9])) == pytest.approx([1.0, 1.0])
    assert holm_adjusted(np.array([0.3])) == pytest.approx([0.3])
