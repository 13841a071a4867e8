"""Many likelihoods at once against one at a time."""

import numpy as np
import pytest
from park_miller import crossed_rows

from donorgrid.statistics.mixed_models.design import make_design, moments
from donorgrid.statistics.mixed_models.likelihood import evaluate, factorise
from donorgrid.statistics.mixed_models.stacks import MomentStack, curvature_stack, evaluate_stack, factorise_stack

RATIOS = np.array([[0.5, 1.0, 2.0], [0.0, 1.0, 2.0], [0.5, 0.0, 0.0], [0.0, 0.0, 0.0], [3.0, 0.1, 0.0]])


def study():
    factors, y = crossed_rows()
    keep = factors["source"] != factors["target"]
    design = make_design({name: factors[name][keep] for name in ("model", "source", "target")})
    rng = np.random.default_rng(0)
    responses = [moments(design, y[keep] + rng.normal(size=keep.sum())) for _ in RATIOS]
    stack = MomentStack(
        random=np.stack([response.random for response in responses]),
        fixed=np.stack([response.fixed for response in responses]),
        square=np.array([response.square for response in responses]),
    )
    return design, responses, stack


@pytest.mark.parametrize("reml", [True, False])
def test_each_row_is_the_likelihood_of_its_response(reml):
    design, responses, stack = study()
    factored = factorise_stack(design, RATIOS, reml=reml)
    dof = 119 if reml else 120
    points = evaluate_stack(design, stack, factored, dof=dof)
    traces, squares = curvature_stack(design, factored, reml=reml)
    for row, (ratios, response) in enumerate(zip(RATIOS, responses, strict=True)):
        point = evaluate(design, response, factorise(design, ratios, reml=reml))
        assert points.criterion[row] == pytest.approx(point.criterion, rel=1e-12)
        assert points.residual[row] == pytest.approx(point.residual, rel=1e-12)
        np.testing.assert_allclose(points.score[row], point.score, rtol=1e-9, atol=1e-9)
        np.testing.assert_allclose(traces[row], point.factored.curvature[0], rtol=1e-9)
        np.testing.assert_allclose(squares[row], point.factored.curvature[1], rtol=1e-9)


def test_one_vector_of_ratios_serves_all_responses():
    design, _, stack = study()
    once = evaluate_stack(design, stack, factorise_stack(design, RATIOS[:1], reml=True), dof=119)
    each = evaluate_stack(design, stack, factorise_stack(design, np.repeat(RATIOS[:1], 5, axis=0), reml=True), dof=119)
    np.testing.assert_allclose(once.criterion, each.criterion, rtol=1e-12)


def test_nothing_left_for_the_residual_is_nan():
    design, _, stack = study()
    constant = moments(design, np.full(design.n_rows, 2.0))
    stack.random[1], stack.fixed[1], stack.square[1] = constant.random, constant.fixed, constant.square
    points = evaluate_stack(design, stack, factorise_stack(design, RATIOS, reml=True), dof=119)
    assert np.isnan(points.criterion).tolist() == [False, True, False, False, False]


def test_a_stack_counts_and_gives_its_responses():
    _, responses, stack = study()
    assert len(stack) == 5
    assert [response.square for response in stack] == [response.square for response in responses]
    assert [response.square for response in stack[3:]] == [response.square for response in responses[3:]]
