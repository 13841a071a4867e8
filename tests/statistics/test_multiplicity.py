import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import false_discovery_control

from donorgrid.statistics.multiplicity import (
    false_discovery_adjusted,
    flipped_maxima,
    holm_adjusted,
    max_t_adjusted,
)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=30))
def test_adjusted_p_values_equal_scipys(values):
    p = np.array(values)
    np.testing.assert_allclose(false_discovery_adjusted(p), false_discovery_control(p), atol=1e-12)
    dependent = false_discovery_adjusted(p, any_dependence=True)
    np.testing.assert_allclose(dependent, false_discovery_control(p, method="by"), atol=1e-12)


def test_what_is_unknown_stays_unknown():
    adjusted = false_discovery_adjusted(np.array([0.01, np.nan, 0.04]))
    assert adjusted[0] == pytest.approx(0.02)
    assert np.isnan(adjusted[1])
    assert np.isnan(false_discovery_adjusted(np.array([np.nan]))).all()


def test_maxima_by_hand():
    block = np.array([[1.0, 0, 0], [1, 1, 0], [0, 0, 0]], dtype=np.float32)
    signs = np.array([[1, -1], [1, 1], [1, 1]], dtype=np.float32)
    largest, smallest = flipped_maxima([block], [signs])
    np.testing.assert_allclose(largest, [np.sqrt(2), 0], atol=1e-6)
    np.testing.assert_allclose(smallest, [1, -1], atol=1e-6)


def test_max_t_p_values_by_hand():
    extremes = np.array([1.0, 2.0, 3.0])
    adjusted = max_t_adjusted(np.array([3.5, 2.0, 0.0, np.nan]), extremes)
    np.testing.assert_allclose(adjusted[:3], [1 / 4, 3 / 4, 1.0])
    assert np.isnan(adjusted[3])


def test_max_t_holds_the_family_wise_error_rate():
    rng = np.random.default_rng(2)
    rejected = 0
    for _ in range(200):
        shared = rng.choice([-1, 0, 0, 0, 1], size=60)
        block = np.where(rng.random((12, 60)) < 0.5, shared, rng.choice([-1, 0, 0, 0, 1], size=(12, 60)))
        d = block.astype(np.float32)
        z = d.sum(axis=1) / np.sqrt((d**2).sum(axis=1))
        signs = rng.choice([-1.0, 1.0], size=(60, 199)).astype(np.float32)
        _, smallest = flipped_maxima([d], [signs])
        rejected += (max_t_adjusted(-z, -smallest) <= 0.05).any()
    assert rejected <= 20  # 10 expected of 200


def test_holm_by_hand_and_never_below_a_smaller_p_value():
    # Stepped: 3 x 0.010, 2 x 0.011, 1 x 0.020; without the monotone step 0.022 and 0.020 would fall below 0.030.
    np.testing.assert_allclose(holm_adjusted(np.array([0.020, 0.010, 0.011])), [0.030, 0.030, 0.030])
    np.testing.assert_allclose(holm_adjusted(np.array([0.4, 0.01, 0.6])), [0.8, 0.03, 0.8])
    # 0.04 alone would stay 0.04.
    np.testing.assert_allclose(holm_adjusted(np.array([0.01, 0.04, 0.03, 0.005])), [0.03, 0.06, 0.06, 0.02])


def test_holms_p_values_are_at_most_one_and_a_single_p_value_stays():
    np.testing.assert_allclose(holm_adjusted(np.array([0.6, 0.9])), [1.0, 1.0])
    np.testing.assert_allclose(holm_adjusted(np.array([0.3])), [0.3])


@settings(max_examples=30, deadline=None)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=20))
def test_holm_keeps_the_order_and_lies_between_the_p_value_and_bonferronis(values):
    p = np.array(values)
    adjusted = holm_adjusted(p)
    assert (np.diff(adjusted[np.argsort(p, kind="stable")]) >= 0).all()
    assert (adjusted >= p).all()
    assert (adjusted <= np.minimum(1.0, p * p.size)).all()
