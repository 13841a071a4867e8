"""The variance between runs, and the noise of a next study, by hand and from simulated answers."""

import numpy as np
import pytest

from donorgrid.statistics.errors.run_variance import (
    cell_correlation,
    excess_run_variance,
    flip_rate,
    model_sd,
    seed_correlation,
)


def test_the_excess_between_runs_is_what_items_do_not_explain() -> None:
    """Three seeds: 10 - 3/2 (4 - 2) = 7. Two seeds: 1 - 2 (4 - 3) = -1, which is not cut off."""
    excess = excess_run_variance(np.array([10.0, 1.0]), np.array([4.0, 4.0]), np.array([2.0, 3.0]), np.array([3, 2]))
    assert excess == pytest.approx([7.0, -1.0])


def test_independent_seeds_without_run_variance_have_no_excess() -> None:
    rng = np.random.default_rng(0)
    differences = rng.choice([-1, 0, 1], p=[0.1, 0.7, 0.2], size=(4000, 3, 50)).astype(float)
    between = 1e4 * differences.mean(axis=2).var(axis=1, ddof=1)
    single = 1e4 * (differences.var(axis=2, ddof=1) / 50).mean(axis=1)
    pooled = 1e4 * differences.mean(axis=1).var(axis=1, ddof=1) / 50
    excess = excess_run_variance(between, single, pooled, np.full(4000, 3))
    assert abs(excess.mean()) < 4 * excess.std() / np.sqrt(4000)
    assert between.mean() > 20  # the spread that items alone explain


def test_the_flip_rate_counts_the_answers_that_change() -> None:
    """Ten items of which three become right and two wrong, and four of which one becomes right: (5/10 + 1/4) / 2."""
    cells = [np.array([1] * 3 + [-1] * 2 + [0] * 5), np.array([1, 0, 0, 0])]
    delta = np.array([cell.mean() for cell in cells])
    se = np.array([cell.std(ddof=1) / np.sqrt(cell.size) for cell in cells])
    assert flip_rate(delta, se, np.array([10.0, 4.0])) == pytest.approx((5 / 10 + 1 / 4) / 2)
    unknown = flip_rate(np.append(delta, np.nan), np.append(se, np.nan), np.array([10.0, 4.0, 6.0]))
    assert unknown == flip_rate(delta, se, np.array([10.0, 4.0]))


def test_the_correlation_between_seeds() -> None:
    """v_S = v_1 (r + (1 - r) / S): with v_1 = 6, r = 1/4 and S = 3 it is 3."""
    assert seed_correlation(6.0, 3.0, 3.0) == pytest.approx(0.25)
    assert seed_correlation(6.0, 6.0, 3.0) == 1.0
    assert seed_correlation(6.0, 2.0, 3.0) == pytest.approx(0.0)
    assert seed_correlation(6.0, 1.0, 3.0) == 0.0  # below independence
    assert seed_correlation(0.0, 0.0, 3.0) is None


def test_the_correlation_between_cells() -> None:
    """V = v / (K M) (1 + (K / B - 1) c): v = 20, K M = 40 cells of 2 models, 5 blocks of 4 cells, c = 1/3: V = 1."""
    assert cell_correlation(1.0, 20.0, n_cells=40, n_models=2, n_blocks=5) == pytest.approx(1 / 3)
    assert cell_correlation(0.1, 20.0, n_cells=40, n_models=2, n_blocks=5) == 0.0
    assert cell_correlation(9.0, 20.0, n_cells=40, n_models=2, n_blocks=5) == 1.0
    assert cell_correlation(1.0, 20.0, n_cells=40, n_models=2, n_blocks=20) is None  # no cells share their items
    assert cell_correlation(1.0, 0.0, n_cells=40, n_models=2, n_blocks=5) is None


def test_the_spread_between_models_leaves_out_what_items_give() -> None:
    """The mean over four models varies by 5, the items explain 1: a model by sqrt(4 * 4)."""
    assert model_sd(5.0, 1.0, 4) == pytest.approx(4.0)
    assert model_sd(1.0, 5.0, 4) == 0.0
