import numpy as np
import pytest
from park_miller import crossed_rows

from donorgrid.statistics.mixed_models.design import make_design, moments
from donorgrid.statistics.mixed_models.likelihood import evaluate, factorise
from donorgrid.statistics.mixed_models.scoring import LARGEST_RATIO, line_search, scoring_step, within_bounds

NONE_HELD = np.zeros(3, dtype=bool)


def study():
    factors, y = crossed_rows()
    design = make_design({name: factors[name] for name in ("model", "source", "target")})
    return design, moments(design, y - y.mean())


def point_at(ratios):
    design, response = study()
    return evaluate(design, response, factorise(design, np.array(ratios), reml=True))


def test_ratios_stay_within_bounds():
    """144 rows: 24 per source and target, 36 per model. A ratio times its rows below 1e-8 is zero."""
    design, _ = study()
    assert design.names == ("source", "target", "model")
    smallest = 1e-8 / np.array([24, 24, 36])
    np.testing.assert_array_equal(within_bounds(design, 0.99 * smallest), [0, 0, 0])
    np.testing.assert_array_equal(within_bounds(design, 1.01 * smallest), 1.01 * smallest)
    np.testing.assert_array_equal(within_bounds(design, np.array([2e7, 1.0, 1e7])), [LARGEST_RATIO, 1.0, LARGEST_RATIO])


def test_a_step_solves_the_expected_hessian():
    point = point_at([0.3, 0.5, 1.0])
    np.testing.assert_allclose(point.hessian @ scoring_step(point, NONE_HELD), -point.slope, rtol=1e-9)


def test_held_components_and_outward_slopes_at_zero_do_not_move():
    point = point_at([0.3, 0.5, 1.0])
    held = np.array([False, True, False])
    step = scoring_step(point, held)
    assert step[1] == 0.0
    free = np.ix_(~held, ~held)
    np.testing.assert_allclose(step[~held], -np.linalg.solve(point.hessian[free], point.slope[~held]), rtol=1e-9)
    inward = point_at([0.0, 0.5, 1.0])
    assert inward.slope[0] < 0
    assert scoring_step(inward, NONE_HELD)[0] > 0


def test_a_step_that_is_too_long_is_halved():
    design, response = study()
    point = point_at([0.3, 0.5, 1.0])
    step = scoring_step(point, NONE_HELD)
    better, n_trials = line_search(design, response, point, 1024 * step)
    assert better.criterion < point.criterion
    lengths = [within_bounds(design, np.maximum(point.ratios + 1024 * step / 2**k, 0.0)) for k in range(n_trials)]
    np.testing.assert_array_equal(better.ratios, lengths[-1])
    for ratios in lengths[:-1]:
        assert not evaluate(design, response, factorise(design, ratios, reml=True)).criterion < point.criterion


def test_no_point_is_better_uphill():
    design, response = study()
    point = point_at([0.3, 0.5, 1.0])
    better, n_trials = line_search(design, response, point, 0.01 * point.slope)
    assert better is None
    assert n_trials == 2  # the expected gain is negative: no more trials than near the optimum
    better, n_trials = line_search(design, response, point, np.zeros(3))
    assert (better, n_trials) == (None, 0)
    assert point.criterion == pytest.approx(evaluate(design, response, point.factored).criterion)
