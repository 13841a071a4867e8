import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from park_miller import crossed_rows

from donorgrid.statistics.mixed_models.design import make_design, moments
from donorgrid.statistics.mixed_models.likelihood import evaluate, factorise

NAMES = ("model", "source", "target")


def study():
    factors, y = crossed_rows()
    keep = factors["source"] != factors["target"]
    design = make_design({name: factors[name][keep] for name in NAMES})
    return design, y[keep]


def dense(design, ratios):
    """Z (n, q), V and P (n, n) of the design with an intercept."""
    z = np.concatenate([np.eye(size)[codes] for size, codes in zip(design.sizes, design.codes, strict=True)], axis=1)
    v = np.eye(design.n_rows) + z * ratios[design.factor_index] @ z.T
    inverse, x = np.linalg.inv(v), design.fixed
    return z, v, inverse - inverse @ x @ np.linalg.inv(x.T @ inverse @ x) @ x.T @ inverse


@pytest.mark.parametrize("ratios", [[0.5, 1.0, 2.0], [0.0, 1.0, 2.0], [0.0, 0.0, 0.0]])
@pytest.mark.parametrize("reml", [True, False])
def test_it_is_the_dense_likelihood(ratios, reml):
    design, y = study()
    ratios = np.array(ratios)
    point = evaluate(design, moments(design, y), factorise(design, ratios, reml=reml))
    z, v, p = dense(design, ratios)
    dof = 119 if reml else 120
    squares = y @ p @ y
    expected = dof * (1 + np.log(2 * np.pi * squares / dof)) + np.linalg.slogdet(v)[1]
    if reml:
        expected += np.log(design.fixed.T @ np.linalg.solve(v, design.fixed))[0, 0]
    assert point.criterion == pytest.approx(expected, rel=1e-12)
    assert point.residual == pytest.approx(squares / dof, rel=1e-10)
    np.testing.assert_allclose(point.score, z.T @ p @ y, rtol=1e-8, atol=1e-10)
    q = z.T @ p @ z if reml else z.T @ np.linalg.inv(v) @ z
    of_factor = design.factor_index[:, None] == np.arange(3)
    traces, blocks = point.factored.curvature
    np.testing.assert_allclose(traces, np.diagonal(q) @ of_factor, rtol=1e-9)
    np.testing.assert_allclose(blocks, of_factor.T @ (q * q) @ of_factor, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(point.factored.leverage, np.diagonal(z.T @ p @ z), rtol=1e-9)


@settings(max_examples=15, deadline=None)
@given(st.lists(st.floats(0.01, 20), min_size=3, max_size=3), st.booleans())
def test_the_gradient_is_the_derivative(ratios, reml):
    design, y = study()
    response, centre = moments(design, y), np.array(ratios)
    slope = evaluate(design, response, factorise(design, centre, reml=reml)).slope
    for factor in range(3):
        step = np.zeros(3)
        step[factor] = 1e-5 * centre[factor]
        ends = [
            evaluate(design, response, factorise(design, centre + sign * step, reml=reml)).criterion for sign in (1, -1)
        ]
        assert slope[factor] == pytest.approx((ends[0] - ends[1]) / (2 * step[factor]), rel=1e-4, abs=1e-4)


def test_the_gradient_at_zero_is_that_of_the_inner_side():
    design, y = study()
    response = moments(design, y)
    at_zero, step = np.array([0.0, 0.5, 1.0]), np.array([1e-6, 0, 0])
    point, shifted = (
        evaluate(design, response, factorise(design, ratios, reml=True)) for ratios in (at_zero, at_zero + step)
    )
    assert point.slope[0] == pytest.approx((shifted.criterion - point.criterion) / 1e-6, rel=1e-3)


def test_a_response_that_the_fixed_part_explains_has_no_likelihood():
    design, _ = study()
    constant = moments(design, np.full(design.n_rows, 2.0))
    assert evaluate(design, constant, factorise(design, np.ones(3), reml=True)) is None
