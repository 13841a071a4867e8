"""Flips of clustered items are rounded against the claim that is to be made."""

import numpy as np
import pytest

from donorgrid.statistics.flips import Flips, flips_of
from donorgrid.statistics.noninferiority import lower_bound, p_value_above, upper_bound


def test_flips_are_counted_by_their_direction() -> None:
    base, adapter = np.array([1, 1, 1, 0, 0], dtype=bool), np.array([0, 1, 0, 1, 0], dtype=bool)
    found = flips_of(base, adapter, np.arange(5))
    assert (found.gained, found.lost, found.n_items, found.design_effect) == (1, 2, 5, 1.0)
    assert found.delta_pp == pytest.approx(-20.0)


def test_clusters_make_fewer_items_and_round_against_the_claim() -> None:
    flips = Flips(gained=3, lost=3, n_items=401, design_effect=2.0)
    low, high = flips.bounds_pp(0.05)
    assert low == pytest.approx(100 * lower_bound(1, 2, 200, 0.05))
    assert high == pytest.approx(100 * upper_bound(2, 1, 200, 0.05))
    assert flips.p_value_safe(1.0) == p_value_above(1, 2, 200, -0.01)
    assert flips.p_value_harmed(1.0) == p_value_above(1, 2, 200, 0.01)


def test_a_verdict_is_the_test_at_the_limit() -> None:
    assert Flips(gained=0, lost=0, n_items=1000).verdict(1.0, 0.05) == "safe"
    assert Flips(gained=0, lost=60, n_items=1000).verdict(1.0, 0.05) == "harmed"
    assert Flips(gained=0, lost=0, n_items=50).verdict(1.0, 0.05) == "undecided"


def test_the_spread_of_an_item_grows_with_the_design_effect() -> None:
    assert Flips(gained=3, lost=1, n_items=100, design_effect=2.0).item_sd == pytest.approx(
        np.sqrt(2.0 * (0.04 - 0.02**2))
    )
