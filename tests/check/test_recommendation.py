"""The recommended adapter: chosen on one half of the items and reported on the other."""

import numpy as np
import pytest
from answers_by_hand import subject_answers, target_answers

from donorgrid.check import CheckSettings
from donorgrid.check.recommendation import recommended

SETTINGS = CheckSettings(limit_pp=1.0, n_splits=50)


def with_flips(rng: np.random.Generator, base: np.ndarray, rate: float) -> np.ndarray:
    """The base's correctness with a share of the items flipped, half in each direction."""
    correct = base.copy()
    for value in (True, False):
        candidates = rng.permutation(np.flatnonzero(base == value))
        correct[candidates[: int(rate * base.size / 2)]] = not value
    return correct


def test_the_better_adapter_is_chosen_and_its_honest_delta_is_that_of_the_other_half() -> None:
    targets = [target_answers("on/de", (80, 0), (5, 0), role="on"), target_answers("guard/de", (60, 0), (60, 0))]
    choice = recommended(["good", "weak"], targets, SETTINGS)
    assert choice.name == "good"
    assert choice.joint == "safe"
    assert choice.best_share == 1.0
    mean_of_halves = (choice.apparent_pp + choice.honest_pp) / 2
    assert mean_of_halves == pytest.approx(20.0, abs=1.0)
    assert choice.honest_low_pp < choice.honest_pp < choice.honest_high_pp


def test_an_adapter_that_harms_a_guard_is_never_recommended() -> None:
    targets = [target_answers("on/de", (100, 0), (20, 0), role="on"), target_answers("guard/de", (0, 80), (30, 0))]
    assert recommended(["greedy", "careful"], targets, SETTINGS).name == "careful"
    harming = [target_answers("guard/de", (0, 80), (0, 90))]
    choice = recommended(["first", "second"], harming, SETTINGS)
    assert (choice.name, choice.reason) == (None, "every adapter harms a guard")


def test_with_too_few_items_nothing_is_recommended() -> None:
    choice = recommended(
        ["first", "second"], [target_answers("on/de", (3, 0), (1, 0), role="on", n_items=30)], SETTINGS
    )
    assert choice.name is None
    assert "fewer than 40 items" in choice.reason


def test_the_best_of_equal_adapters_gains_nothing_on_the_other_half() -> None:
    """Ten adapters of pure noise: the chosen one looks good on its half and gains nothing on the other on average."""
    rng = np.random.default_rng(3)
    apparent, honest = [], []
    for draw in range(40):
        base = rng.permutation(np.arange(400) < 270)
        gold = np.arange(400) % 4
        adapters = [subject_answers(with_flips(rng, base, 0.2), gold) for _ in range(10)]
        ids = [f"{draw}-{number}" for number in range(400)]
        target = target_answers(
            "on/de", role="on", base=subject_answers(base, gold), adapters=adapters, item_ids=ids, clusters=ids
        )
        choice = recommended([str(number) for number in range(10)], [target], CheckSettings(n_splits=1))
        apparent.append(choice.apparent_pp)
        honest.append(choice.honest_pp)
    assert np.mean(apparent) > 2.0
    # An adapter that gains nothing overall loses on one half what it gains on the other.
    assert np.mean(honest) < 0.5
