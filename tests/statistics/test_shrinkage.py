import numpy as np
import pytest

from donorgrid.statistics.design import make_design
from donorgrid.statistics.reml import fit
from donorgrid.statistics.shrinkage import Posterior, row_predictions, shrink


def grid(seed, n_models=6, n_sources=8):
    rng = np.random.default_rng(seed)
    m, s = (axis.ravel() for axis in np.meshgrid(np.arange(n_models), np.arange(n_sources), indexing="ij"))
    return m, s, 2 * rng.normal(size=n_models)[m] + rng.normal(size=n_sources)[s] + rng.normal(size=m.size)


def test_row_predictions_equal_the_dense_formula():
    m, s, y = grid(0)
    design = make_design({"m": m, "s": s})
    found = fit(design, y)
    mean, se = row_predictions(design, found)
    parts = dict(zip(found.names, found.variances, strict=True))
    structured = parts["m"] * (m[:, None] == m) + parts["s"] * (s[:, None] == s)
    inverse = np.linalg.inv(structured + found.residual * np.eye(y.size))
    ones = np.ones((y.size, 1))
    gls = np.linalg.inv(ones.T @ inverse @ ones)
    beta = (gls @ ones.T @ inverse @ y)[0]
    np.testing.assert_allclose(mean, beta + structured @ inverse @ (y - beta), rtol=1e-8)
    rest = ones - structured @ inverse @ ones
    expected = np.diagonal(structured - structured @ inverse @ structured) + (rest @ gls @ rest.T).diagonal()
    np.testing.assert_allclose(se**2, expected, rtol=1e-7)


def test_shrinkage_golden():
    half = shrink(np.array([4.0]), np.array([1.0]), np.array([0.0]), prior_variance=1.0, prior_se=np.array([0.0]))
    assert (half.mean[0], half.sd[0]) == (2.0, pytest.approx(np.sqrt(0.5)))
    whole = shrink(np.array([4.0]), np.array([1.0]), np.array([1.0]), prior_variance=0.0, prior_se=np.array([0.3]))
    assert (whole.mean[0], whole.sd[0]) == (1.0, pytest.approx(0.3))


def test_noise_that_the_cell_shares_with_its_prior_is_in_the_error():
    one = {"prior_variance": 1.0, "prior_se": np.array([0.0])}
    golden = shrink(np.array([4.0]), np.array([1.0]), np.array([0.0]), shared_se=np.array([0.8]), **one)
    assert golden.sd[0] == pytest.approx(np.sqrt(0.5 + 0.75 * 0.64))
    rng = np.random.default_rng(0)
    shared, truth = 0.8 * rng.normal(size=200_000), rng.normal(size=200_000)
    seen = truth + shared + 0.6 * rng.normal(size=truth.size)
    many = shrink(seen, np.ones_like(seen), shared, shared_se=0.8, prior_variance=1.0, prior_se=np.zeros_like(seen))
    assert np.std(many.mean - truth) == pytest.approx(many.sd[0], rel=0.01)


def test_probabilities_of_harm():
    posterior = Posterior(mean=np.array([-1.0, 0.0, -2.0]), sd=np.array([0.5, 0.0, 0.0]))
    np.testing.assert_allclose(posterior.probability_at_most(-1.0), [0.5, 0.0, 1.0])


def test_posteriors_cover_on_average():
    rng = np.random.default_rng(3)
    hits = []
    for seed in range(60):
        m, s, truth = grid(seed, 5, 10)
        noise = rng.uniform(0.5, 1.5, size=truth.size)
        seen = truth + noise * rng.normal(size=truth.size)
        design = make_design({"m": m, "s": s})
        found = fit(design, seen)
        mean, se = row_predictions(design, found)
        variance = max(0.0, found.residual - float((noise**2).mean()))
        posterior = shrink(seen, noise, mean, prior_variance=variance, prior_se=se)
        hits.append((np.abs(truth - posterior.mean) <= 1.96 * posterior.sd).mean())
    assert 0.90 < np.mean(hits) < 0.98
