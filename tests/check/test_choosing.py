"""Several adapters: compared on the same items, chosen on one half and reported on the other."""

import numpy as np
import pytest
from answers_by_hand import made_subject, made_target

from donorgrid.check import CheckSettings, judge
from donorgrid.check.comparisons import mean_with_interval
from donorgrid.check.recommendation import recommended

SETTINGS = CheckSettings(limit_pp=1.0, n_splits=50)


def spread(rng: np.random.Generator, base: np.ndarray, rate: float) -> np.ndarray:
    """The base's answers with a share of them flipped, half each way."""
    right = base.copy()
    for value in (True, False):
        places = rng.permutation(np.flatnonzero(base == value))
        right[places[: int(rate * base.size / 2)]] = not value
    return right


def test_the_better_adapter_is_chosen_and_its_honest_delta_is_that_of_the_other_half() -> None:
    targets = [made_target("on/de", (80, 0), (5, 0), role="on"), made_target("guard/de", (60, 0), (60, 0))]
    found = recommended(["good", "weak"], targets, SETTINGS)
    assert found.name == "good"
    assert found.joint == "safe"
    assert found.best_share == 1.0
    halves = (found.apparent_pp + found.honest_pp) / 2
    assert halves == pytest.approx(20.0, abs=1.0)
    assert found.honest_low_pp < found.honest_pp < found.honest_high_pp


def test_an_adapter_that_harms_a_guard_is_never_recommended() -> None:
    targets = [made_target("on/de", (100, 0), (20, 0), role="on"), made_target("guard/de", (0, 80), (30, 0))]
    assert recommended(["greedy", "careful"], targets, SETTINGS).name == "careful"
    harming = [made_target("guard/de", (0, 80), (0, 90))]
    found = recommended(["one", "two"], harming, SETTINGS)
    assert (found.name, found.reason) == (None, "every adapter harms a guard")


def test_too_few_items_choose_nothing() -> None:
    found = recommended(["one", "two"], [made_target("on/de", (3, 0), (1, 0), role="on", n_items=30)], SETTINGS)
    assert found.name is None
    assert "fewer than 40 items" in found.reason


def test_the_best_of_equal_adapters_gains_nothing_on_the_other_half() -> None:
    """Ten adapters of pure noise: the chosen one looks good on its half, and on average is worth 0 on the other."""
    rng = np.random.default_rng(3)
    apparent, honest = [], []
    for draw in range(40):
        base = rng.permutation(np.arange(400) < 270)
        gold = np.arange(400) % 4
        adapters = [made_subject(spread(rng, base, 0.2), gold) for _ in range(10)]
        ids = [f"{draw}-{place}" for place in range(400)]
        target = made_target(
            "on/de", role="on", base=made_subject(base, gold), adapters=adapters, item_ids=ids, clusters=ids
        )
        found = recommended([str(one) for one in range(10)], [target], CheckSettings(n_splits=1))
        apparent.append(found.apparent_pp)
        honest.append(found.honest_pp)
    assert np.mean(apparent) > 2.0
    # An adapter that gained nothing in all gives back on one half what it won on the other.
    assert np.mean(honest) < 0.5


def test_adapters_are_compared_item_by_item() -> None:
    targets = [made_target("on/de", (40, 0), (20, 0), role="on"), made_target("guard/de", (0, 0), (0, 0))]
    on, guard = judge("base", ["one", "two"], targets, SETTINGS).comparisons
    assert (on.first, on.second, on.role, on.delta_pp) == ("one", "two", "on", pytest.approx(5.0))
    assert on.low_pp > 0
    assert guard.delta_pp == 0.0
    assert guard.low_pp < 0 < guard.high_pp


def test_items_shared_by_targets_count_once() -> None:
    rng = np.random.default_rng(1)
    change = rng.choice([-1.0, 0.0, 1.0], size=300)
    ids = [str(one) for one in range(300)]
    _, low, high = mean_with_interval([change, change], [ids, ids], tail=0.05)
    _, alone_low, alone_high = mean_with_interval([change], [ids], tail=0.05)
    assert high - low == pytest.approx(alone_high - alone_low, rel=0.01)
    _, low, high = mean_with_interval([change, rng.permutation(change)], [ids, [f"x{one}" for one in ids]], tail=0.05)
    assert high - low == pytest.approx((alone_high - alone_low) / np.sqrt(2), rel=0.02)
