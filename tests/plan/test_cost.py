"""What a study costs, by hand."""

import pytest

from donorgrid.core.records import Recipe
from donorgrid.plan.cost import Amount, ModelCost, Part, Speed, adapter_bytes, model_cost, seconds_for

SHAPES = {"model.embed_tokens.weight": (50, 8), "model.up_proj.weight": (20, 8), "model.norm.weight": (8,)}


def cost(**changes: object) -> ModelCost:
    given = {"train_tokens": [100, 50], "score_tokens": 1000, "n_items": 10, "n_adapters": 2, "example_tokens": ()}
    return model_cost("m", 7, kept_bytes=[3, 4], **{**given, **changes})


def test_the_base_is_scored_like_every_adapter() -> None:
    found = cost()
    assert (found.train_tokens, found.score_tokens, found.n_trainings, found.adapter_bytes) == (150, 3000, 2, 7)
    assert cost(n_adapters=0, train_tokens=[]).score_tokens == 1000
    assert cost(n_adapters=5).answer_bytes == 2 * found.answer_bytes


def test_solved_examples_are_read_once_per_item() -> None:
    assert cost(example_tokens=[20, 30]).score_tokens == 5 * 1000 + 10 * 50


def test_seconds_follow_the_measured_speeds() -> None:
    recipe = Recipe(name="r")
    training, scoring, other = (
        Part(kind="training", task="a", recipe=recipe),
        Part(kind="scoring", task="a"),
        Part(kind="scoring", task="b"),
    )
    work = {
        training: Amount(n_tokens=100, n_starts=2),
        scoring: Amount(n_tokens=3000, n_starts=4),
        other: Amount(n_tokens=500, n_starts=1),
    }
    speeds = {training: Speed(tokens_per_s=50.0, start_s=3.0), scoring: Speed(tokens_per_s=1000.0)}
    assert seconds_for(work, speeds) == pytest.approx((2.0 + 6.0) + 3.0 + 0.5)
    speeds[other] = Speed(tokens_per_s=100.0, start_s=0.25)
    assert seconds_for(work, speeds) == pytest.approx((2.0 + 6.0) + 3.0 + 5.25)


def test_amounts_add_up() -> None:
    assert Amount(n_tokens=2, n_starts=1) + Amount(n_tokens=3) == Amount(n_tokens=5, n_starts=1)


@pytest.mark.parametrize(
    ("method", "expected"),
    [("lora", 4 * (20 + 8) * 4), ("dora", (4 * (20 + 8) + 20) * 4), ("full", (50 * 8 + 20 * 8 + 8) * 4)],
)
def test_what_one_training_leaves_on_disk(method: str, expected: int) -> None:
    recipe = Recipe(name="r", method=method, rank=4, target_modules=("up_proj",), precision="fp32")
    assert adapter_bytes(recipe, SHAPES) == expected
