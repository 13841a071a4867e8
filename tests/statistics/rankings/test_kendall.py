import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import kendalltau

from donorgrid.statistics.rankings.kendall import dense_ranks, mean_over_pairs, shuffled, tau_b


@settings(max_examples=40, deadline=None)
@given(st.integers(2, 6), st.integers(3, 14), st.integers(1, 6), st.floats(0, 0.4), st.integers(0, 10**6))
def test_tau_equals_scipy_with_ties_and_holes(n_raters, n_items, spread, holes, seed):
    rng = np.random.default_rng(seed)
    scores = rng.integers(-spread, spread + 1, size=(n_raters, n_items)).astype(float)
    scores[rng.random(scores.shape) < holes] = np.nan
    ours = tau_b(dense_ranks(scores))
    np.testing.assert_array_equal(ours, tau_b(scores))
    for a in range(n_raters):
        for b in range(a):
            both = ~np.isnan(scores[a]) & ~np.isnan(scores[b])
            x, y = scores[a][both], scores[b][both]
            if both.sum() < 3 or np.ptp(x) == 0 or np.ptp(y) == 0:
                assert np.isnan(ours[a, b])
            else:
                assert ours[a, b] == pytest.approx(kendalltau(x, y).statistic, abs=1e-15)
                assert ours[a, b] == ours[b, a]


def test_golden_with_a_tie():
    # Pairs: (1,2)(1,3)(2,3) against (1,1)(1,2)(1,2): two of three agree, one tie: 2 / sqrt(3 * 2).
    tau = tau_b(np.array([[1.0, 2, 3], [1.0, 1, 2]]))
    assert tau[0, 1] == pytest.approx(2 / np.sqrt(6), abs=1e-15)


def test_round_off_makes_no_false_non_tie():
    noisy = np.array([[0.1 + 0.2, 0.3, 1.0], [1.0, 2.0, 3.0]])
    assert tau_b(dense_ranks(noisy, equal_within=1e-9))[0, 1] == pytest.approx(2 / np.sqrt(6), abs=1e-15)


def test_means_skip_what_is_undefined():
    tau = np.array([[1.0, 0.5, np.nan], [0.5, 1.0, 0.1], [np.nan, 0.1, 1.0]])
    assert mean_over_pairs(tau) == pytest.approx(0.3)
    assert np.isnan(mean_over_pairs(np.full((3, 3), np.nan)))


def test_shuffles_keep_each_raters_values_and_holes():
    scores = np.array([[1.0, 2, np.nan, 4], [5.0, 5, 6, 7]])
    drawn = shuffled(scores, 50, np.random.default_rng(0))
    assert np.isnan(drawn[:, 0, 2]).all()
    np.testing.assert_array_equal(np.sort(drawn[:, 1], axis=1), np.tile([5, 5, 6, 7], (50, 1)))
    assert abs(np.nanmean(mean_over_pairs(tau_b(drawn)))) < 0.25
