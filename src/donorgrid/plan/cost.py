"""What a study will cost in work, tokens, disk and time: arithmetic on counts that others measured."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from donorgrid.core.records import Precision, Recipe

_BYTES: dict[Precision, int] = {"fp32": 4, "bf16": 2}
_BYTES_PER_ANSWER = 24
VALIDATION_COST = 1 / 3
"""A validation text is read forward only: a token costs about this share of one that is trained on."""
_EMBEDDINGS = ("embed", "wte", "wpe", "lm_head")


PartKind = Literal["training", "scoring", "few-shot"]


@dataclass(frozen=True, kw_only=True)
class Part:
    """A part of a model's work with a speed of its own: training with a recipe, or scoring, on texts of a task."""

    kind: PartKind
    task: str
    recipe: Recipe | None = None

    def is_like(self, other: "Part") -> bool:
        """True if only the tasks differ."""
        return (self.kind, self.recipe) == (other.kind, other.recipe)


@dataclass(frozen=True, kw_only=True)
class Amount:
    """How much work a part is: tokens, and how often it is started (one training, or one target of one subject)."""

    n_tokens: float = 0.0
    n_starts: int = 0

    def __add__(self, other: "Amount") -> "Amount":
        return Amount(n_tokens=self.n_tokens + other.n_tokens, n_starts=self.n_starts + other.n_starts)


@dataclass(frozen=True, kw_only=True)
class Speed:
    """How fast one process does a part: tokens per second, and the seconds that each start takes on top."""

    tokens_per_s: float
    start_s: float = 0.0


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
        Trainings, each of which gives one adapter, its checkpoints and strengths.
    n_adapters
        Adapters that are scored: every checkpoint and every strength counts.
    n_prompted
        Few-shot subjects.
    train_tokens, score_tokens
        Tokens read in training (one pass) and in scoring.
    adapter_bytes, answer_bytes
        Disk for kept adapters and for item answers.
    seconds
        Time of one process, or None if it was not tried.
    ready_seconds
        Time until the model is in memory, which every process needs.
    trial_seconds
        How long the trial took.
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
    ready_seconds: float = 0.0
    trial_seconds: float = 0.0


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
        Adapters that are scored: every checkpoint and every strength counts.
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


def seconds_for(work: Mapping[Part, Amount], speeds: Mapping[Part, Speed]) -> float:
    """Estimate the time of the work.

    Parameters
    ----------
    work
        Tokens and starts of each part.
    speeds
        Measured speeds. A part that was not tried counts as the tried ones of its kind and recipe.

    Returns
    -------
    float
        Seconds of one process.
    """
    seconds = 0.0
    for part, amount in work.items():
        alike = [part] if part in speeds else [tried for tried in speeds if tried.is_like(part)]
        n_tokens = sum(work[tried].n_tokens for tried in alike)
        per_token = sum(work[tried].n_tokens / speeds[tried].tokens_per_s for tried in alike) / n_tokens
        start_s = sum(speeds[tried].start_s for tried in alike) / len(alike)
        seconds += amount.n_tokens * per_token + amount.n_starts * start_s
    return seconds


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
