"""Many fits at once against one fit after another: the numbers are equal to rounding."""

import numpy as np
import pytest
from park_miller import crossed_rows

from donorgrid.core.errors import InputError
from donorgrid.statistics.mixed_models import refits
from donorgrid.statistics.mixed_models.design import make_design
from donorgrid.statistics.mixed_models.refits import refit_shares
from donorgrid.statistics.mixed_models.reml import fit, fit_moments
from donorgrid.statistics.mixed_models.simulated import simulate_moments
from donorgrid.statistics.mixed_models.stacks import MomentStack

CROSSED = ("model", "source", "target")
RICH = (*CROSSED, "model:source", "model:target")
N = 60


def study(names, *, state=1, fixed=False):
    """The design of these factors without the cells on the diagonal, and its fit."""
    factors, y = crossed_rows(state)
    keep = factors["source"] != factors["target"]
    columns = np.stack([np.ones(keep.sum()), np.arange(keep.sum()) % 3], axis=1) if fixed else None
    design = make_design({name: factors[name][keep] for name in names}, fixed=columns)
    return design, fit(design, y[keep])


def one_by_one(design, drawn, *, start, reml, tolerance):
    fits = [fit_moments(design, response, start=start, reml=reml, tolerance=tolerance) for response in drawn]
    return np.array([fitted.shares for fitted in fits]), fits


@pytest.mark.parametrize("reml", [True, False])
@pytest.mark.parametrize(("tolerance", "apart"), [(3e-3, 1e-11), (1e-6, 1e-7)])
@pytest.mark.parametrize(
    ("names", "state", "fixed"),
    [(CROSSED, 1, False), (RICH, 20261, False), (("source",), 1, False), (CROSSED, 1, True)],
    ids=["crossed", "with interactions, some at zero", "one factor", "two fixed columns"],
)
def test_stacked_fits_equal_single_fits(names, state, fixed, tolerance, apart, reml):
    """Equal to ``apart``: the last step may gain less than the criterion's round-off, and chance then decides on it."""
    design, fitted = study(names, state=state, fixed=fixed)
    start = np.where(fitted.point.ratios > 0, fitted.point.ratios, 1e-3)
    drawn = simulate_moments(design, fitted, N, np.random.default_rng(4))
    expected, _ = one_by_one(design, drawn, start=start, reml=reml, tolerance=tolerance)
    shares = refit_shares(design, drawn, start=start, reml=reml, tolerance=tolerance)
    np.testing.assert_allclose(shares, expected, rtol=0, atol=apart)
    np.testing.assert_array_equal(shares == 0, expected == 0)
    assert np.isfinite(shares).all()


def test_from_a_far_start_with_halved_steps_and_zero_ratios():
    design, fitted = study(RICH, state=20261)
    drawn = simulate_moments(design, fitted, N, np.random.default_rng(5))
    start = np.array([0.0, 30.0, 1e-3, 0.0, 5.0])
    expected, fits = one_by_one(design, drawn, start=start, reml=True, tolerance=1e-6)
    shares = refit_shares(design, drawn, start=start, tolerance=1e-6)
    np.testing.assert_allclose(shares, expected, rtol=0, atol=1e-9)
    zeros = {fitted.at_zero for fitted in fits}
    assert len(zeros) > 3  # bounds are met and left in several ways
    assert max(fitted.evaluations for fitted in fits) > 6


def test_a_response_without_a_residual_is_nan_and_leaves_the_others_alone():
    """Each response is a sum of level effects; y'y is then what the factors explain, and nothing is left."""
    design, fitted = study(CROSSED)
    drawn = simulate_moments(design, fitted, 5, np.random.default_rng(6))
    effects = np.random.default_rng(7).normal(size=len(design.factor_index))
    without = MomentStack(
        random=np.vstack([drawn.random[:2], design.gram @ effects, drawn.random[2:]]),
        fixed=np.vstack([drawn.fixed[:2], effects @ design.cross, drawn.fixed[2:]]),
        square=np.concatenate([drawn.square[:2], [0.0], drawn.square[2:]]),
    )
    start = fitted.point.ratios
    with pytest.raises(InputError, match="likelihood is not defined"):
        fit_moments(design, list(without)[2], start=start)
    shares = refit_shares(design, without, start=start, tolerance=3e-3)
    assert np.isnan(shares[2]).all()
    alone = refit_shares(design, drawn, start=start, tolerance=3e-3)
    np.testing.assert_allclose(np.delete(shares, 2, axis=0), alone, rtol=1e-10)


def test_stacks_of_any_size_agree(monkeypatch):
    design, fitted = study(CROSSED)
    drawn = simulate_moments(design, fitted, 7, np.random.default_rng(8))
    together = refit_shares(design, drawn, start=fitted.point.ratios, tolerance=3e-3)
    monkeypatch.setattr(refits, "_STACK_NUMBERS", 1)
    alone = refit_shares(design, drawn, start=fitted.point.ratios, tolerance=3e-3)
    np.testing.assert_allclose(alone, together, rtol=1e-10)
