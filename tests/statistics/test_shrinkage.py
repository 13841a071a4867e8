import numpy as np
import pytest

from donorgrid.statistics.shrinkage import Posterior, shrink, weights


def test_shrinkage_golden():
    half = shrink(np.array([4.0]), np.array([1.0]), np.array([0.0]), prior_variance=1.0, prior_se=np.array([0.0]))
    assert (half.mean[0], half.sd[0]) == (2.0, pytest.approx(np.sqrt(0.5)))
    whole = shrink(np.array([4.0]), np.array([1.0]), np.array([1.0]), prior_variance=0.0, prior_se=np.array([0.3]))
    assert (whole.mean[0], whole.sd[0]) == (1.0, pytest.approx(0.3))


def test_the_share_of_a_variance_that_is_not_noise():
    np.testing.assert_array_equal(weights(1.0, np.array([0.0, 1.0, 3.0])), [1.0, 0.5, 0.25])
    np.testing.assert_array_equal(weights(0.0, np.array([0.0, 1.0])), [1.0, 0.0])


def test_probabilities_of_harm():
    posterior = Posterior(mean=np.array([-1.0, 0.0, -2.0]), sd=np.array([0.5, 0.0, 0.0]))
    np.testing.assert_allclose(posterior.probability_at_most(-1.0), [0.5, 0.0, 1.0])
