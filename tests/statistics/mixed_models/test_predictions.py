import numpy as np
import pytest
from park_miller import crossed_rows

from donorgrid.core.errors import InputError
from donorgrid.statistics.mixed_models.design import make_design
from donorgrid.statistics.mixed_models.predictions import predictions
from donorgrid.statistics.mixed_models.reml import fit

NAMES = ("model", "source", "target")


def transfer_cells():
    factors, y = crossed_rows(1)
    keep = factors["source"] != factors["target"]
    return {name: factors[name][keep] for name in NAMES}, y[keep]


def test_predictions_equal_the_dense_formula():
    factors, y = transfer_cells()
    fitted = fit(make_design(factors), y)
    variances = dict(zip(fitted.names, fitted.variances, strict=True))
    covariance = fitted.residual * np.eye(len(y))
    for name, codes in factors.items():
        covariance += variances[name] * (codes[:, None] == codes)
    v_inverse = np.linalg.inv(covariance)
    intercept = np.ones((len(y), 1))
    p = v_inverse - v_inverse @ intercept @ np.linalg.inv(intercept.T @ v_inverse @ intercept) @ intercept.T @ v_inverse
    z = (factors["target"][:, None] == np.arange(6)).astype(float)
    variance = variances["target"]
    ours = predictions(make_design(factors), fitted, "target")
    assert ours.levels == tuple("012345")
    np.testing.assert_allclose(ours.effects, variance * z.T @ p @ y, rtol=1e-9)
    np.testing.assert_allclose(ours.se**2, variance - variance**2 * np.diagonal(z.T @ p @ z), rtol=1e-9)


def test_an_unknown_factor_is_refused():
    factors, y = transfer_cells()
    design = make_design(factors)
    with pytest.raises(InputError, match="no factor 'sauce'"):
        predictions(design, fit(design, y), "sauce")
