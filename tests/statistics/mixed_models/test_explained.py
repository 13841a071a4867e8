import numpy as np
import pytest

from donorgrid.statistics.mixed_models.design import make_design
from donorgrid.statistics.mixed_models.explained import explain
from donorgrid.statistics.mixed_models.predictions import predictions
from donorgrid.statistics.mixed_models.reml import fit


def crossed(seed=0):
    rng = np.random.default_rng(seed)
    a, b = (axis.ravel() for axis in np.meshgrid(np.arange(6), np.arange(8), indexing="ij"))
    return a, b, 2 * rng.normal(size=6)[a] + rng.normal(size=8)[b] + rng.normal(size=a.size)


def test_effects_and_their_errors_are_those_of_the_fit():
    a, b, y = crossed()
    model = explain({"a": a, "b": b}, y, np.ones((y.size, 1)))
    design = make_design({"a": a, "b": b})
    fitted = fit(design, y)
    assert model.criterion == fitted.criterion
    assert model.residual == fitted.residual
    for name, codes in (("a", a), ("b", b)):
        blup = predictions(design, fitted, name)
        np.testing.assert_allclose(model.effects[name], blup.effects[codes])
        columns = model.columns[name]
        np.testing.assert_allclose(np.sqrt(model.covariance[columns, columns]), blup.se[codes])
    np.testing.assert_allclose(np.sqrt(model.covariance[0, 0]), fitted.beta_se[0])
    expected = (
        fitted.beta[0] + predictions(design, fitted, "a").effects[a] + predictions(design, fitted, "b").effects[b]
    )
    np.testing.assert_allclose(model.predicted, expected)


def test_a_factor_whose_variance_is_zero_has_no_effects():
    a, b, y = crossed()
    level = y - np.array([y[b == code].mean() for code in b])
    model = explain({"a": a, "b": b}, level, np.ones((y.size, 1)))
    assert model.variances["b"] == 0.0
    assert set(model.effects) == set(model.columns) == {"a"}
    assert model.covariance.shape == (1 + 6, 1 + 6)


def test_means_of_parts_apart_or_together_have_the_same_likelihood():
    """Two parts fitted apart against both at once, with a mean each and equal variances: what Akaike compares."""
    rng = np.random.default_rng(2)
    first, second = rng.normal(size=20), 3 + rng.normal(size=20)
    second = (second - second.mean()) / second.std() * first.std() + 3
    both = np.concatenate([first, second])
    together = explain({}, both, np.repeat(np.eye(2), 20, axis=0))
    apart = [explain({}, part, np.ones((20, 1))) for part in (first, second)]
    assert together.criterion == pytest.approx(sum(model.criterion for model in apart))
