"""What a study will cost in work, tokens, disk and time: arithmetic on counts that others measured."""

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
    """The work of one base model.

    Attributes
    ----------
    model
        Its name in the study.
    n_parameters
        The parameters of the base model.
    n_trainings
        Trainings, each of which gives one adapter and its checkpoints.
    n_adapters
        Adapters that are scored, checkpoints included.
    n_prompted
        Few-shot subjects.
    train_tokens, score_tokens
        Tokens read in training (one pass) and in scoring.
    adapter_bytes, answer_bytes
        Disk for kept adapters and for item answers.
    seconds
        Time of one process, or None if it was not tried.
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
    """Add up the work of one model.

    Parameters
    ----------
    model
        Its name in the study.
    n_parameters
        The parameters of the base model.
    train_tokens
        Tokens of each training.
    score_tokens
        Tokens of all targets together, for one subject.
    n_items
        Test items of all targets together.
    n_adapters
        Adapters that are scored, checkpoints included.
    example_tokens
        Tokens of the examples of each few-shot subject; they are read once for all options of an item.
    kept_bytes
        Size of each adapter that stays on disk.

    Returns
    -------
    ModelCost
        Without ``seconds``.
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
    """Estimate the time of the work.

    Parameters
    ----------
    cost
        The work of one model.
    rates
        Measured tokens per second.

    Returns
    -------
    float
        Seconds of one process.
    """
    return cost.train_tokens / rates.train + cost.score_tokens / rates.score


def adapter_bytes(recipe: Recipe, shapes: Mapping[str, tuple[int, ...]]) -> int:
    """Size on disk of what one training gives.

    LoRA has rank x (inputs + outputs) float32 weights for each adapted matrix, DoRA one more per output; a full
    fine-tuning has all weights in the recipe's precision.

    Parameters
    ----------
    recipe
        The recipe.
    shapes
        Name of a base weight, such as ``model.layers.0.mlp.up_proj.weight``, to its shape ``(outputs, inputs)``.

    Returns
    -------
    int
        Bytes.
    """
    if recipe.method == "full":
        return sum(math.prod(shape) for shape in shapes.values()) * _BYTES[recipe.precision]
    adapted = [shape for name, shape in shapes.items() if len(shape) == 2 and is_adapted(name, recipe)]
    magnitudes = sum(shape[0] for shape in adapted) if recipe.method == "dora" else 0
    return (recipe.rank * sum(map(sum, adapted)) + magnitudes) * _BYTES["fp32"]


def is_adapted(name: str, recipe: Recipe) -> bool:
    """True if a recipe adapts a weight, by the rule of PEFT; a full fine-tuning changes every weight.

    Parameters
    ----------
    name
        The weight's name, such as ``model.layers.0.mlp.up_proj.weight``.
    recipe
        The recipe, with ``target_modules``.

    Returns
    -------
    bool
    """
    if recipe.method == "full":
        return True
    if recipe.target_modules == "all-linear":
        return not any(part in name for part in _EMBEDDINGS)
    module = name.removesuffix(".weight")
    return any(module.rpartition(".")[2] == wanted for wanted in recipe.target_modules)
