"""The estimate is the paper's grid by hand, and a goal is judged on the card that it names."""

import pytest
from gpu_kit.estimate import estimate, grid_minutes

SCORING = {
    "stage": "scoring speed qwen2.5-0.5b",
    "status": "done",
    "seconds": 40.0,
    "card": "NVIDIA H200, 140 GiB",
    "items_per_task": 400,
    "best_way": "block masks",
    "dense masks": {"seconds": 2.0},
    "block masks": {"seconds": 1.0},
    "switch_seconds": 0.1,
    "pack_seconds": 3.0,
}
TRAINING = {
    "stage": "training speed qwen2.5-0.5b",
    "status": "done",
    "seconds": 30.0,
    "texts": 64,
    "validation_texts": 8,
    "seconds_per_adapter_and_epoch": 0.16,
    "fixed_seconds_per_adapter": 0.05,
    "best_way": "dense masks",
    "best_group": 8,
}


def results(**changes: object) -> dict[str, dict]:
    return {entry["stage"]: entry for entry in ({**SCORING, **changes}, TRAINING)}


def test_a_grid_is_132_adapters_on_44_targets_of_400_items_and_a_baseline() -> None:
    found = grid_minutes("qwen2.5-0.5b", results())
    score, train = 133 * 11 * 1.0 / 60, 132 * (0.05 + (900 / 72) * 0.16) / 60
    parts = {"score": score, "train": train, "merge and restore": 132 * 0.1 / 60, "pack": 11 * 3.0 / 60}
    assert found["minutes"] == pytest.approx(parts, abs=0.01)
    assert found["total_minutes"] == pytest.approx(sum(parts.values()), abs=0.06)
    assert found["goal_met"] is True


def test_a_goal_is_judged_on_an_h200_only() -> None:
    assert grid_minutes("qwen2.5-0.5b", results(card="NVIDIA H100, 80 GiB"))["goal_met"] is None
    slow = {"block masks": {"seconds": 9.0}}
    assert grid_minutes("qwen2.5-0.5b", results(**slow))["goal_met"] is False


def test_without_both_halves_there_is_no_estimate() -> None:
    both = results()
    assert grid_minutes("qwen2.5-0.5b", {"scoring speed qwen2.5-0.5b": SCORING}) is None
    assert set(estimate(both)["models"]) == {"qwen2.5-0.5b"}
    unfinished = {key: value for key, value in SCORING.items() if key != "best_way"}
    assert estimate({**both, SCORING["stage"]: unfinished})["models"] == {}
