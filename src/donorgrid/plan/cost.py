"""What a study will cost: work, tokens, disk, time. Pure arithmetic on counts that others measured."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from donorgrid.core.records import Recipe

_BYTES_PER_WEIGHT = 4
_BYTES_PER_ANSWER = 24
_EMBEDDINGS = ("embed", "wte", "wpe", "lm_head")


@dataclass(frozen=True, kw_only=True)
class Rates:
    """Tokens per second of one process, measured by a short trial."""

    train: float
    score: float


@dataclass(frozen=True, kw_only=True)
class ModelCost:
    """The work that one base model does, and its time in seconds for one process (None: not tried)."""

    model: str
    n_parameters: int
    n_adapters: int
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
    kept_bytes: Iterable[int],
) -> ModelCost:
    """Add up one model's work: ``train_tokens`` per run, ``score_tokens`` and ``n_items`` of all targets together."""
    per_run = list(train_tokens)
    subjects = len(per_run) + 1
    return ModelCost(
        model=model,
        n_parameters=n_parameters,
        n_adapters=len(per_run),
        train_tokens=sum(per_run),
        score_tokens=score_tokens * subjects,
        adapter_bytes=sum(kept_bytes),
        answer_bytes=n_items * subjects * _BYTES_PER_ANSWER,
    )


def seconds_for(cost: ModelCost, rates: Rates) -> float:
    """Seconds of one process at the measured rates."""
    return cost.train_tokens / rates.train + cost.score_tokens / rates.score


def adapter_bytes(recipe: Recipe, shapes: Mapping[str, tuple[int, ...]]) -> int:
    """Size of one LoRA adapter: rank x (inputs + outputs) float32 weights for each adapted matrix.

    ``shapes`` are the base weights' shapes by name, such as ``model.layers.0.mlp.up_proj.weight`` -> (outputs, inputs).
    """
    adapted = (shape for name, shape in shapes.items() if len(shape) == 2 and is_adapted(name, recipe))
    return sum(recipe.rank * sum(shape) for shape in adapted) * _BYTES_PER_WEIGHT


def is_adapted(name: str, recipe: Recipe) -> bool:
    """Whether a recipe adapts the weight of this name, by the rule of PEFT."""
    if recipe.target_modules == "all-linear":
        return not any(part in name for part in _EMBEDDINGS)
    module = name.removesuffix(".weight")
    return any(module.rpartition(".")[2] == wanted for wanted in recipe.target_modules)
