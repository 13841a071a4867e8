import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from donorgrid.statistics.harm import verdicts
from donorgrid.statistics.paired import items_to_decide, joint_verdict, null_se_pp, paired_bounds


def plain(differences):
    """(delta, se) in pp of paired differences."""
    d = np.asarray(differences, dtype=float)
    return 100 * d.mean(), 100 * d.std(ddof=1) / np.sqrt(d.size)


def test_one_seed_is_bonett_and_price():
    d = np.repeat([1, -1, 0], [7, 12, 81])
    delta, se = plain(d)
    made = paired_bounds(np.array([delta]), np.array([se]), np.array([100.0]))
    b, c, n = 8 / 102, 13 / 102, 102
    assert made.centre_pp[0] == pytest.approx(100 * (b - c), rel=1e-12)
    assert made.se_pp[0] == pytest.approx(100 * np.sqrt((b + c - (b - c) ** 2) / n), rel=1e-12)
    low, high = made.bounds(0.025)
    assert high[0] - low[0] == pytest.approx(2 * 1.959964 * made.se_pp[0], rel=1e-6)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(-3, 3), min_size=5, max_size=60))
def test_the_null_scale_is_the_root_of_the_sum_of_squares(values):
    d = np.array(values) / 3
    delta, se = plain(d)
    found = null_se_pp(np.array([delta]), np.array([se]), np.array([float(d.size)]))[0]
    assert found == pytest.approx(100 * np.sqrt((d**2).sum()) / d.size, rel=1e-9, abs=1e-9)


def test_no_flips_is_safe_with_enough_items_only():
    zero = np.zeros(2)
    low, high = paired_bounds(zero, zero, np.array([100.0, 400.0])).bounds(0.05)
    assert verdicts(low, high, 1.0).tolist() == ["undecided", "safe"]


def test_verdicts_and_sets():
    low, high = np.array([-0.5, -3.0, -2.0, np.nan]), np.array([1.0, -1.2, 0.0, np.nan])
    assert verdicts(low, high, 1.0).tolist() == ["safe", "harmed", "undecided", "undecided"]
    assert joint_verdict(np.array(["safe", "safe"])) == "safe"
    assert joint_verdict(np.array(["safe", "undecided"])) == "undecided"
    assert joint_verdict(np.array(["undecided", "harmed"])) == "harmed"


def test_four_percent_flips_need_about_2500_items():
    assert items_to_decide(np.array([0.2]), np.array([1.0]))[0] == pytest.approx(2474, abs=1)
    assert np.isnan(items_to_decide(np.array([0.2]), np.array([0.0]))[0])


@pytest.mark.parametrize("n_seeds", [1, 3])
def test_false_safe_at_exactly_the_limit_is_at_most_five_percent(n_seeds):
    """Item answers whose true delta is exactly minus the limit: flips of 4%, some shared by the seeds."""
    rng = np.random.default_rng(0)
    n, draws, limit = 400, 4000, 1.0
    lose, gain = 0.025, 0.015
    shared = rng.random((draws, 1, n))
    own = rng.random((draws, n_seeds, n))
    u = np.where(rng.random((draws, 1, n)) < 0.5, shared, own)
    d = ((u < gain).astype(float) - (u > 1 - lose)).mean(axis=1)
    delta, se = 100 * d.mean(axis=1), 100 * d.std(axis=1, ddof=1) / np.sqrt(n)
    low, high = paired_bounds(delta, se, np.full(draws, float(n)), n_seeds=n_seeds).bounds(0.05)
    found = verdicts(low, high, limit)
    assert (found == "safe").mean() < 0.05 + 3 * np.sqrt(0.05 * 0.95 / draws)
    assert (found == "harmed").mean() < 0.06


def test_intervals_cover():
    rng = np.random.default_rng(1)
    n, draws = 300, 4000
    for gain, lose in ((0.03, 0.03), (0.08, 0.02), (0.01, 0.0)):
        u = rng.random((draws, n))
        d = (u < gain).astype(float) - (u > 1 - lose)
        delta, se = 100 * d.mean(axis=1), 100 * d.std(axis=1, ddof=1) / np.sqrt(n)
        low, high = paired_bounds(delta, se, np.full(draws, float(n))).bounds(0.025)
        truth = 100 * (gain - lose)
        assert 0.93 < ((low <= truth) & (truth <= high)).mean() < 0.985
