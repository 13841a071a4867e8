import numpy as np
import pytest
from scipy.stats import pearsonr, spearmanr

from donorgrid.statistics.rankings.mantel import mantel


def made(seed, k, slope):
    rng = np.random.default_rng(seed)
    distance = np.abs(np.subtract.outer(*(2 * [rng.normal(size=k)])))
    return slope * distance + rng.normal(size=(k, k)), distance


@pytest.mark.parametrize(("ranks", "other"), [(False, pearsonr), (True, spearmanr)])
def test_the_correlation_is_scipys_over_the_pairs_off_the_diagonal(ranks, other):
    transfer, distance = made(0, 8, -0.5)
    transfer[2, 5] = np.nan
    used = ~np.eye(8, dtype=bool) & ~np.isnan(transfer)
    found = mantel(transfer, distance, n_permutations=50, rng=np.random.default_rng(0), ranks=ranks)
    assert found.r == pytest.approx(other(transfer[used], distance[used]).statistic, abs=1e-12)
    assert found.n_pairs == 55
    assert (found.n_permutations, found.exact) == (50, False)


def test_four_languages_are_tested_exactly():
    """One pair is near and its transfer is high, both ways: of 24 permutations, 4 keep that pair together."""
    distance = np.ones((4, 4))
    distance[0, 1] = distance[1, 0] = 0.2
    transfer = np.zeros((4, 4))
    transfer[0, 1] = transfer[1, 0] = 1.0
    found = mantel(transfer, distance, n_permutations=999, rng=np.random.default_rng(0))
    assert found.r == pytest.approx(-1.0)
    assert found.exact
    # Both scattered sets have one odd pair of six: the other permutations put it elsewhere.
    assert found.p_value == pytest.approx(4 / 24)


def test_a_strong_relation_is_found_and_none_is_not():
    strong = mantel(*made(1, 10, -5.0), n_permutations=499, rng=np.random.default_rng(1))
    assert strong.r < -0.8
    assert strong.p_value <= 2 / 500
    rng = np.random.default_rng(2)
    p = [mantel(*made(seed, 7, 0.0), n_permutations=99, rng=rng).p_value for seed in range(100)]
    assert np.mean(np.array(p) <= 0.1) == pytest.approx(0.1, abs=0.09)


def test_effects_of_languages_do_not_fool_it():
    """A language with high rows and columns makes its pairs alike: pairs are not independent, languages are."""
    rejected = 0
    for seed in range(150):
        rng = np.random.default_rng([9, seed])
        effect = 3 * rng.normal(size=8)
        transfer = effect[:, None] + effect + rng.normal(size=(8, 8))
        distance = np.abs(np.subtract.outer(*(2 * [rng.normal(size=8)])))
        rejected += mantel(transfer, distance, n_permutations=99, rng=rng).p_value <= 0.05
    assert rejected / 150 < 0.11


def test_what_does_not_vary_has_no_correlation():
    transfer, distance = made(3, 5, 1.0)
    assert np.isnan(mantel(transfer, np.ones((5, 5)), n_permutations=9, rng=np.random.default_rng(0)).r)
    assert np.isnan(mantel(np.zeros((5, 5)), distance, n_permutations=9, rng=np.random.default_rng(0)).r)
