import numpy as np
import pytest
from park_miller import crossed_rows

from donorgrid.statistics.mixed_models.design import make_design, moments
from donorgrid.statistics.mixed_models.reml import fit, fit_moments
from donorgrid.statistics.mixed_models.shares import reversed_logit_interval, share_intervals, upper_share
from donorgrid.statistics.mixed_models.simulated import simulate_moments


def crossed(state=1):
    factors, y = crossed_rows(state)
    design = make_design({name: factors[name] for name in ("model", "source", "target")})
    return design, y, fit(design, y)


def test_reversed_interval_golden():
    share = np.array([0.5])
    refits = 1 / (1 + np.exp(-np.linspace(-1, 3, 401)[:, None]))
    low, high = reversed_logit_interval(share, refits, 0.025)
    # The refits' logits run evenly from -1 to 3, the estimate's is 0: the reversed interval runs from -2.9 to 0.9.
    assert low[0] == pytest.approx(1 / (1 + np.exp(2.9)))
    assert high[0] == pytest.approx(1 / (1 + np.exp(-0.9)))


def test_a_reversed_interval_holds_the_share_however_the_refits_lie():
    rng = np.random.default_rng(2)
    for _ in range(300):
        share = rng.beta(0.5, 0.5, 4)
        refits = rng.beta(*rng.uniform(0.3, 20.0, 2), (50, 4))
        low, high = reversed_logit_interval(share, refits, 0.025)
        assert (low >= 0.0).all()
        assert (low <= share).all()
        assert (share <= high).all()
        assert (high <= 1.0).all()


def test_intervals_hold_the_estimate_and_repeat():
    design, _, fitted = crossed()
    intervals, again = (share_intervals(design, fitted, n_refits=200, rng=np.random.default_rng(5)) for _ in range(2))
    assert (intervals.low < fitted.shares).all()
    assert (fitted.shares < intervals.high).all()
    assert intervals.n_failed == 0
    np.testing.assert_array_equal(intervals.low, again.low)


def test_refits_are_unbiased_around_the_fit():
    design, _, fitted = crossed()
    drawn = simulate_moments(design, fitted, 300, np.random.default_rng(7))
    refits = [fit_moments(design, response).variances for response in drawn]
    se = np.std(refits, axis=0) / np.sqrt(300)
    assert (np.abs(np.mean(refits, axis=0) - fitted.variances) < 4 * se + 0.05 * fitted.variances).all()


def test_a_component_at_zero_has_an_upper_end():
    factors, y = crossed_rows(20261)
    keep = factors["source"] != factors["target"]
    design = make_design({name: codes[keep] for name, codes in factors.items()})
    fitted = fit(design, y[keep])
    assert set(fitted.at_zero) == {"model", "source"}
    index = fitted.names.index("model")
    intervals = share_intervals(design, fitted, n_refits=20, rng=np.random.default_rng(8))
    assert intervals.low[index] == 0.0
    assert np.isnan(intervals.high[index])
    response = moments(design, y[keep] - y[keep].mean())
    high = upper_share(design, response, fitted, "model")
    assert 0 < high < 1
    # At the upper end the profile criterion has risen by the one-sided 95% quantile, 2.7055.
    ratio = np.ones(5)
    held = np.arange(5) == index
    for log_ratio in np.linspace(-6, 3, 400):
        ratio[index] = np.exp(log_ratio)
        at = fit_moments(design, response, start=ratio.copy(), held=held, tolerance=1e-8)
        if at.criterion - fitted.criterion > 2.7055:
            assert at.shares[index] == pytest.approx(high, rel=0.05)
            return
    pytest.fail("the profile never rose")


def test_heavy_tails_widen_the_intervals_of_the_effects():
    design, _, fitted = crossed()
    plain, heavy = (
        share_intervals(design, fitted, n_refits=600, rng=np.random.default_rng(5), tail_degrees=degrees)
        for degrees in (None, 4.5)
    )
    assert ((heavy.high - heavy.low) > (plain.high - plain.low))[:3].all()
