import numpy as np
import pytest
from park_miller import crossed_rows

from donorgrid.statistics.mixed_models.design import make_design, moments
from donorgrid.statistics.mixed_models.reml import fit, fit_moments
from donorgrid.statistics.mixed_models.shares import (
    residual_degrees,
    reversed_logit_interval,
    share_intervals,
    simulate_moments,
    upper_share,
)


def crossed(state=1):
    factors, y = crossed_rows(state)
    design = make_design({name: factors[name] for name in ("model", "source", "target")})
    return design, y, fit(design, y)


def test_reversed_interval_golden():
    share = np.array([0.5])
    refits = 1 / (1 + np.exp(-np.linspace(-1, 3, 401)[:, None]))
    low, high = reversed_logit_interval(share, refits, 0.025)
    # The refits' logits run evenly from -1 to 3 round an estimate of 0: turned round, from -2.9 to 0.9.
    assert low[0] == pytest.approx(1 / (1 + np.exp(2.9)))
    assert high[0] == pytest.approx(1 / (1 + np.exp(-0.9)))


def test_intervals_hold_the_estimate_and_repeat():
    design, _, found = crossed()
    made = [share_intervals(design, found, n_refits=200, rng=np.random.default_rng(5)) for _ in range(2)]
    assert (made[0].low < found.shares).all()
    assert (found.shares < made[0].high).all()
    assert made[0].n_failed == 0
    np.testing.assert_array_equal(made[0].low, made[1].low)


def test_simulated_moments_have_the_moments_of_simulated_rows():
    design, y, found = crossed()
    rng = np.random.default_rng(6)
    drawn = simulate_moments(design, found, 4000, rng)
    rows = []
    for _ in range(4000):
        made = np.sqrt(found.residual) * rng.normal(size=len(y))
        for codes, size, variance in zip(design.codes, design.sizes, found.variances, strict=True):
            made += (np.sqrt(variance) * rng.normal(size=size))[codes]
        rows.append(moments(design, made))
    for get in (lambda one: one.square, lambda one: one.random[0] ** 2, lambda one: one.random[5] * one.random[8],
                lambda one: one.fixed[0] ** 2, lambda one: one.square * one.random[12] ** 2):  # fmt: skip
        ours, theirs = (np.array([get(one) for one in many]) for many in (drawn, rows))
        se = np.sqrt(ours.var() / 4000 + theirs.var() / 4000)
        assert abs(ours.mean() - theirs.mean()) < 4 * se


def test_refits_are_unbiased_round_the_fit():
    design, _, found = crossed()
    refits = [
        fit_moments(design, one).variances for one in simulate_moments(design, found, 300, np.random.default_rng(7))
    ]
    se = np.std(refits, axis=0) / np.sqrt(300)
    assert (np.abs(np.mean(refits, axis=0) - found.variances) < 4 * se + 0.05 * found.variances).all()


def test_a_component_at_zero_has_an_upper_end():
    factors, y = crossed_rows(20261)
    keep = factors["source"] != factors["target"]
    design = make_design({name: codes[keep] for name, codes in factors.items()})
    found = fit(design, y[keep])
    assert set(found.at_zero) == {"model", "source"}
    place = found.names.index("model")
    made = share_intervals(design, found, n_refits=20, rng=np.random.default_rng(8))
    assert made.low[place] == 0.0
    assert np.isnan(made.high[place])
    response = moments(design, y[keep] - y[keep].mean())
    high = upper_share(design, response, found, "model")
    assert 0 < high < 1
    # On the profile's edge the criterion has risen by the one-sided 95% quantile, 2.7055.
    ratio = np.ones(5)
    held = np.arange(5) == place
    for log_ratio in np.linspace(-6, 3, 400):
        ratio[place] = np.exp(log_ratio)
        at = fit_moments(design, response, start=ratio.copy(), held=held, tolerance=1e-8)
        if at.criterion - found.criterion > 2.7055:
            assert at.shares[place] == pytest.approx(high, rel=0.05)
            return
    pytest.fail("the profile never rose")


def many_rows(draw, seed=0):
    """20 x 20 crossed levels, three rows each, with residuals from ``draw``."""
    rng = np.random.default_rng(seed)
    a, b = (codes.ravel() for codes in np.mgrid[0:20, 0:60])
    b = b // 3
    y = rng.normal(size=20)[a] + rng.normal(size=20)[b] + draw(rng, a.size)
    design = make_design({"a": a, "b": b})
    return design, y, fit(design, y)


def test_tails_are_read_off_the_residuals():
    heavy = many_rows(lambda rng, n: rng.standard_t(6, size=n))
    degrees = residual_degrees(*_swapped(heavy))
    assert 4.5 <= degrees < 9
    hidden = residual_degrees(*_swapped(heavy), noise_variance=heavy[2].residual / 2)
    # Half of the variance is noise: the excess of the rest is four times as large.
    assert hidden == pytest.approx(max(4.5, 4 + (degrees - 4) / 4))
    normal = [residual_degrees(*_swapped(many_rows(lambda rng, n: rng.normal(size=n), seed))) for seed in range(20)]
    assert normal.count(None) >= 15


def _swapped(made):
    design, y, found = made
    return design, found, y


def test_heavy_tails_widen_the_intervals_of_the_effects():
    design, _, found = crossed()
    plain, heavy = (
        share_intervals(design, found, n_refits=600, rng=np.random.default_rng(5), tail_degrees=degrees)
        for degrees in (None, 4.5)
    )
    assert ((heavy.high - heavy.low) > (plain.high - plain.low))[:3].all()
    variance = np.mean([one.square for one in simulate_moments(design, found, 20000, np.random.default_rng(1))])
    tailed = simulate_moments(design, found, 20000, np.random.default_rng(1), tail_degrees=6.0)
    assert np.mean([one.square for one in tailed]) == pytest.approx(variance, rel=0.05)
