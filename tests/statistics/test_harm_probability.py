"""The probability of harm against draws of its posterior, and its calibration on checks drawn from its prior."""

import numpy as np
import pytest

from donorgrid.statistics.flips import Flips
from donorgrid.statistics.harm_probability import harm_probability, prior_draws


@pytest.mark.parametrize(
    ("gained", "lost", "n_items"), [(0, 0, 50), (1, 4, 50), (9, 8, 100), (30, 50, 400), (0, 400, 400)]
)
def test_it_is_the_share_of_the_posterior_at_or_below_the_limit(gained: int, lost: int, n_items: int) -> None:
    rng = np.random.default_rng(0)
    changes = rng.beta(0.5 + gained + lost, 0.5 + n_items - gained - lost, 400_000)
    gains = rng.beta(2.0 + gained, 2.0 + lost, 400_000)
    drawn = float((changes * (2.0 * gains - 1.0) <= -0.01).mean())
    assert harm_probability(gained, lost, n_items, 1.0) == pytest.approx(drawn, abs=0.004)


def test_more_losses_are_more_probably_harm_and_a_wider_limit_less() -> None:
    of_losses = [harm_probability(5, lost, 200, 1.0) for lost in range(0, 60, 5)]
    assert of_losses == sorted(of_losses)
    of_limits = [harm_probability(5, 9, 200, limit) for limit in (0.0, 0.5, 1.0, 3.0, 10.0)]
    assert of_limits == sorted(of_limits, reverse=True)


def test_clusters_make_it_less_certain() -> None:
    alone = Flips(gained=2, lost=20, n_items=400).harm_probability(1.0)
    together = Flips(gained=2, lost=20, n_items=400, design_effect=4.0).harm_probability(1.0)
    assert 0.5 < together < alone


@pytest.mark.parametrize("n_items", [50, 100, 400])
def test_of_checks_with_a_probability_of_harm_so_many_are_harmed(n_items: int) -> None:
    rng = np.random.default_rng(n_items)
    gain, loss = prior_draws(4000, rng)
    counts = np.array(
        [rng.multinomial(n_items, (up, down, 1.0 - up - down)) for up, down in zip(gain, loss, strict=True)]
    )
    stated = np.array([harm_probability(gained, lost, n_items, 1.0) for gained, lost, _ in counts.tolist()])
    harmed = gain - loss <= -0.01
    bins = np.digitize(stated, [0.05, 0.2, 0.5, 0.8, 0.95])
    for number in range(6):
        inside = bins == number
        expected, n_inside = stated[inside].mean(), inside.sum()
        assert n_inside > 50
        assert harmed[inside].mean() == pytest.approx(expected, abs=3.3 * np.sqrt(expected * (1 - expected) / n_inside))
