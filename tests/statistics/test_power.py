import numpy as np
import pytest
from scipy.stats import norm, ttest_1samp

from donorgrid.core.errors import InputError
from donorgrid.statistics.power import Averaged, Noise, Test, items_needed, noise_harm_rate, se_pp, smallest_delta_pp

PLAIN = Noise(flip_rate=0.04, seed_correlation=0.0, cell_correlation=0.0)


def test_one_point_at_four_per_cent_flips_needs_about_2500_items():
    found = items_needed(PLAIN, Averaged(n_items=1), 1.0, Test(sides=1))
    assert found == int(np.ceil(0.04 * 1e4 * (norm.ppf(0.95) + norm.ppf(0.8)) ** 2)) == 2474


def test_a_cell_by_hand():
    # 400 items, 6% flips, 3 seeds, correlation .3: 1e4 .06 / 400 (.3 + .7 / 3) = .8; run spread 0.6^2 / 3 = .12.
    noise = Noise(flip_rate=0.06, seed_correlation=0.3, run_sd_pp=0.6)
    assert se_pp(noise, Averaged(n_items=400, n_seeds=3)) == pytest.approx(np.sqrt(0.8 + 0.12))
    assert smallest_delta_pp(noise, Averaged(n_items=400, n_seeds=3)) == pytest.approx(
        2.801585 * np.sqrt(0.92), rel=1e-6
    )


def test_a_mean_of_cells_by_hand():
    # 40 cells of 4 tasks: design effect 1 + 9 x .2 = 2.8; v = 1.5; two models with a spread of 1 pp.
    noise = Noise(flip_rate=0.06, cell_correlation=0.2, model_sd_pp=1.0)
    design = Averaged(n_items=400, n_cells=40, n_blocks=4, n_models=2)
    assert se_pp(noise, design) == pytest.approx(np.sqrt(1.5 * 2.8 / 80 + 0.5))


def test_the_needed_items_are_the_inverse():
    noise = Noise(run_sd_pp=0.3, model_sd_pp=0.2)
    for wanted in (0.8, 1.0, 2.0):
        design = Averaged(n_items=1, n_seeds=2, n_models=6, n_cells=10, n_blocks=2)
        n = items_needed(noise, design, wanted)
        at, below = (Averaged(**{**vars(design), "n_items": one}) for one in (n, max(1, n - 1)))
        assert smallest_delta_pp(noise, at) <= wanted + 1e-9
        assert n == 1 or smallest_delta_pp(noise, below) > wanted


def test_no_number_of_items_outweighs_models_that_differ():
    assert items_needed(Noise(model_sd_pp=1.0), Averaged(n_items=1, n_models=3), 0.5) is None


def test_more_tests_need_more_and_one_side_less():
    design = Averaged(n_items=400)
    two, one, many = (smallest_delta_pp(PLAIN, design, test) for test in (Test(), Test(sides=1), Test(n_tests=100)))
    assert one < two < many


def test_four_in_five_effects_of_that_size_are_found():
    """Draw items with the smallest delta as their truth; 5 models, each a mean of 4 cells, tested by t over models."""
    noise = Noise(flip_rate=0.1, seed_correlation=0.0, cell_correlation=0.0, model_sd_pp=1.0)
    design = Averaged(n_items=300, n_cells=4, n_blocks=4, n_models=5)
    truth = smallest_delta_pp(noise, design) / 100
    rng = np.random.default_rng(0)
    n_grids = 800
    model = truth + 0.01 * rng.normal(size=(n_grids, 5, 1))
    up = rng.binomial(300, np.clip(0.05 + model / 2, 0, 1), (n_grids, 5, 4))
    down = rng.binomial(300, np.clip(0.05 - model / 2, 0, 1), (n_grids, 5, 4))
    deltas = (100 * (up - down) / 300).mean(axis=2)
    found = np.mean(ttest_1samp(deltas, 0, axis=1).pvalue < 0.05)
    assert found == pytest.approx(0.8, abs=0.06)


@pytest.mark.parametrize(
    "bad",
    [
        lambda: Noise(flip_rate=1.2),
        lambda: Noise(run_sd_pp=-1.0),
        lambda: Averaged(n_items=0),
        lambda: Test(level=0.0),
        lambda: Test(sides=3),
        lambda: items_needed(PLAIN, Averaged(n_items=1), 0.0),
    ],
)
def test_impossible_values_are_refused(bad):
    with pytest.raises(InputError):
        bad()


@pytest.mark.parametrize(
    ("flip_rate", "n_seeds", "expected"), [(0.02, 1, 0.11), (0.1, 1, 0.29), (0.02, 3, 0.01), (0.1, 3, 0.15)]
)
def test_noise_alone_harms_as_many_cells_as_the_study_says(flip_rate, n_seeds, expected):
    """Section 9 of the specification: 400 items, a limit of 1 pp, independent seeds."""
    noise = Noise(flip_rate=flip_rate, seed_correlation=0.0)
    rate = noise_harm_rate(noise, Averaged(n_items=400, n_seeds=n_seeds), 1.0)
    assert rate == pytest.approx(expected, abs=0.006)


def test_the_noise_harm_rate_is_that_of_drawn_answers():
    rng, n_items, limit_pp = np.random.default_rng(5), 100, 3.0
    flips = rng.choice([-1, 0, 1], p=[0.03, 0.94, 0.03], size=(40_000, n_items)).sum(axis=1)
    drawn = (100 * flips / n_items <= -limit_pp).mean()
    design = Averaged(n_items=n_items)
    assert noise_harm_rate(Noise(flip_rate=0.06), design, limit_pp) == pytest.approx(drawn, abs=0.01)
    assert noise_harm_rate(Noise(flip_rate=0.06), design, 2.0) > drawn


def test_a_negative_limit_is_refused():
    with pytest.raises(InputError, match="harm limit -1"):
        noise_harm_rate(Noise(), Averaged(n_items=10), -1.0)


def test_without_noise_nothing_is_harmed_by_it():
    silent, design = Noise(flip_rate=0.0), Averaged(n_items=10)
    assert noise_harm_rate(silent, design, 1.0) == 0.0
    assert noise_harm_rate(silent, design, 0.0) == 1.0  # a delta of 0 is at the limit
