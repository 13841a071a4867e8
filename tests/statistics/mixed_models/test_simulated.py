import numpy as np
import pytest
from park_miller import crossed_rows

from donorgrid.statistics.mixed_models.design import make_design, moments
from donorgrid.statistics.mixed_models.reml import fit
from donorgrid.statistics.mixed_models.simulated import residual_degrees, simulate_moments


def crossed(state=1):
    factors, y = crossed_rows(state)
    design = make_design({name: factors[name] for name in ("model", "source", "target")})
    return design, y, fit(design, y)


def test_simulated_moments_have_the_moments_of_simulated_rows():
    design, y, fitted = crossed()
    rng = np.random.default_rng(6)
    drawn = simulate_moments(design, fitted, 4000, rng)
    rows = []
    for _ in range(4000):
        response = np.sqrt(fitted.residual) * rng.normal(size=len(y))
        for codes, size, variance in zip(design.codes, design.sizes, fitted.variances, strict=True):
            response += (np.sqrt(variance) * rng.normal(size=size))[codes]
        rows.append(moments(design, response))
    statistics = (
        lambda row: row.square,
        lambda row: row.random[0] ** 2,
        lambda row: row.random[5] * row.random[8],
        lambda row: row.fixed[0] ** 2,
        lambda row: row.square * row.random[12] ** 2,
    )
    for statistic in statistics:
        ours, theirs = (np.array([statistic(row) for row in sample]) for sample in (drawn, rows))
        se = np.sqrt(ours.var() / 4000 + theirs.var() / 4000)
        assert abs(ours.mean() - theirs.mean()) < 4 * se


def test_heavy_tailed_effects_have_the_same_variance():
    design, _, fitted = crossed()
    normal = simulate_moments(design, fitted, 20000, np.random.default_rng(1))
    tailed = simulate_moments(design, fitted, 20000, np.random.default_rng(1), tail_degrees=6.0)
    assert tailed.square.mean() == pytest.approx(normal.square.mean(), rel=0.05)


def many_rows(draw, seed=0):
    """20 x 20 crossed levels, three rows each, with residuals from ``draw``."""
    rng = np.random.default_rng(seed)
    a, b = (codes.ravel() for codes in np.mgrid[0:20, 0:60])
    b = b // 3
    y = rng.normal(size=20)[a] + rng.normal(size=20)[b] + draw(rng, a.size)
    design = make_design({"a": a, "b": b})
    return design, fit(design, y), y


def test_tails_are_estimated_from_the_residuals():
    heavy = many_rows(lambda rng, n: rng.standard_t(6, size=n))
    degrees = residual_degrees(*heavy)
    assert 4.5 <= degrees < 9
    hidden = residual_degrees(*heavy, noise_variance=heavy[1].residual / 2)
    # Half of the variance is noise: the excess of the rest is four times as large.
    assert hidden == pytest.approx(max(4.5, 4 + (degrees - 4) / 4))
    normal = [residual_degrees(*many_rows(lambda rng, n: rng.normal(size=n), seed)) for seed in range(20)]
    assert normal.count(None) >= 15
