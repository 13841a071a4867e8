"""What a study will cost: work, tokens, disk, time. Pure arithmetic on counts that others measured."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from donorgrid.core.records import Precision, Recipe

_BYTES: dict[Precision, int] = {"fp32": 4, "bf16": 2}
_BYTES_PER_ANSWER = 24
_EMBEDDINGS = ("embed", "wte", "wpe", "lm_head")


@dataclass(frozen=True, kw_only=True)
class Rates:
    """Tokens per second of one process, measured by a short trial."""

    train: float
    score: float


@dataclass(frozen=True, kw_only=True)
class ModelCost:
    """The work that one base model does, and its time in seconds for one process (None: not tried).

    ``n_adapters`` counts every checkpoint that is scored, ``n_prompted`` the few-shot subjects.
    ``n_trainings`` give the adapters.
    """

    model: str
    n_parameters: int
    n_trainings: int
    n_adapters: int
    n_prompted: int
    train_tokens: int
    score_tokens: int
    adapter_bytes: int
    answer_bytes: int
    seconds: float | None = None


def model_cost(
    model: str,
    n_parameters: int,
    *,
    train_tokens: Iterable[int],
    score_tokens: int,
    n_items: int,
    n_adapters: int,
    example_tokens: Sequence[int],
    kept_bytes: Iterable[int],
) -> ModelCost:
    """Add up one model's work: ``train_tokens`` per training, ``score_tokens`` and ``n_items`` of all targets together.

    ``example_tokens`` are those of each few-shot subject's examples, which are read once for all options of an item.
    """
    per_training = list(train_tokens)
    subjects = 1 + n_adapters + len(example_tokens)
    return ModelCost(
        model=model,
        n_parameters=n_parameters,
        n_trainings=len(per_training),
        n_adapters=n_adapters,
        n_prompted=len(example_tokens),
        train_tokens=sum(per_training),
        score_tokens=score_tokens * subjects + n_items * sum(example_tokens),
        adapter_bytes=sum(kept_bytes),
        answer_bytes=n_items * subjects * _BYTES_PER_ANSWER,
    )


def seconds_for(cost: ModelCost, rates: Rates) -> float:
    """Seconds of one process at the measured rates."""
    return cost.train_tokens / rates.train + cost.score_tokens / rates.score


def adapter_bytes(recipe: Recipe, shapes: Mapping[str, tuple[int, ...]]) -> int:
    """Size on disk of what one training gives.

    For LoRA, rank x (inputs + outputs) float32 weights for each adapted matrix; for DoRA also one per output; for a
    full fine-tuning all weights in the recipe's precision. ``shapes`` are the base weights' shapes by name, such as
    ``model.layers.0.mlp.up_proj.weight`` -> (outputs, inputs).
    """
    if recipe.method == "full":
        return sum(math.prod(shape) for shape in shapes.values()) * _BYTES[recipe.precision]
    adapted = [shape for name, shape in shapes.items() if len(shape) == 2 and is_adapted(name, recipe)]
    magnitudes = sum(shape[0] for shape in adapted) if recipe.method == "dora" else 0
    return (recipe.rank * sum(map(sum, adapted)) + magnitudes) * _BYTES["fp32"]


def is_adapted(name: str, recipe: Recipe) -> bool:
    """Whether a recipe adapts the weight of this name, by the rule of PEFT; a full fine-tuning changes every weight."""
    if recipe.method == "full":
        return True
    if recipe.target_modules == "all-linear":
        return not any(part in name for part in _EMBEDDINGS)
    module = name.removesuffix(".weight")
    return any(module.rpartition(".")[2] == wanted for wanted in recipe.target_modules)
