"""The records that cross the borders between stages: frozen, keyword-only, typed.

A source and a target are the two ends of one ordered pair. "No source" is a type of its own (``Baseline``), never an
empty string or NaN.
"""

from dataclasses import dataclass, field
from typing import Literal, Self

from donorgrid.core.errors import InputError

Metric = Literal["acc", "acc_norm"]
Precision = Literal["fp32", "bf16"]
ControlKind = Literal["shuffled", "content-free"]
SourceKind = Literal["cell", "mix", "control"]

LLAMA_LINEAR = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")


@dataclass(frozen=True, kw_only=True, order=True)
class Cell:
    """One (task, language). Its text form is ``task/language``."""

    task: str
    language: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``task/language``; InputError when the text is anything else."""
        task, slash, language = text.partition("/")
        if not (slash and task and language) or "/" in language:
            raise InputError(f"cell '{text}': expected 'task/language'")
        return cls(task=task, language=language)

    def __str__(self) -> str:
        return f"{self.task}/{self.language}"


@dataclass(frozen=True, kw_only=True)
class Source:
    """What a run trains on.

    kind ``cell``: one cell, weight 1. kind ``mix``: two or more cells with weights that sum to 1.
    kind ``control``: one cell, whose training texts are changed as ``control`` says.
    """

    kind: SourceKind
    name: str
    parts: tuple[tuple[Cell, float], ...]
    control: ControlKind | None = None

    @classmethod
    def of_cell(cls, cell: Cell) -> Self:
        """The source that is one plain cell."""
        return cls(kind="cell", name=str(cell), parts=((cell, 1.0),))

    @property
    def cells(self) -> tuple[Cell, ...]:
        """The cells whose training items are used."""
        return tuple(cell for cell, _ in self.parts)

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """A fine-tuning method with its hyperparameters; the defaults are the preset ``paper`` (arXiv 2511.13368)."""

    name: str
    method: Literal["lora", "rslora", "dora", "full"] = "lora"
    rank: int = 32
    alpha: float = 64.0
    dropout: float = 0.0
    target_modules: tuple[str, ...] | Literal["all-linear"] = LLAMA_LINEAR
    epochs: int = 3
    batch_size: int = 8
    learning_rate: float = 5e-5
    schedule: Literal["linear", "cosine", "constant"] = "linear"
    warmup_share: float = 0.1
    weight_decay: float = 0.0
    max_grad_norm: float = 1.0
    precision: Precision = "bf16"
    validation_share: float = 0.1


@dataclass(frozen=True, kw_only=True)
class Run:
    """One fine-tuning: a base model (by its name in the study), a source, a recipe and its draws.

    ``train_size`` is the number of training items before the validation split; None means all.
    ``data_seed`` chooses which items, when ``train_size`` leaves some out.
    """

    model: str
    source: Source
    recipe: Recipe
    train_seed: int
    data_seed: int = 0
    train_size: int | None = None


@dataclass(frozen=True, kw_only=True)
class Baseline:
    """The base model itself, not trained. ``replicate`` tells apart baselines that were measured more than once."""

    model: str
    replicate: int | None = None


Subject = Run | Baseline


@dataclass(frozen=True, kw_only=True)
class Item:
    """One multiple-choice test item.

    The model reads ``context``; an option's text is ``delimiter + choice``. ``answer`` is the index of the gold choice.
    ``acc_norm`` divides by ``len(choice)`` in characters. ``cluster`` names what several items share (a passage).
    Under a chat template the model reads ``messages`` (role, text), or one user message that is the context where there
    are none, and an option's text is ``chat_delimiter + choice``. A last message of the assistant is left open.
    """

    id: str
    cell: Cell
    context: str
    choices: tuple[str, ...]
    answer: int
    delimiter: str = " "
    cluster: str | None = None
    messages: tuple[tuple[str, str], ...] = ()
    chat_delimiter: str = ""


@dataclass(frozen=True, kw_only=True)
class TrainingText:
    """One training text and where its loss lies.

    ``tokenise="apart"``: prompt and target are tokenised one by one, without special tokens.
    ``tokenise="whole"``: prompt + target is tokenised as one text, with the tokenizer's special tokens.
    ``loss_on="target"`` supervises the tokens of the target, ``"all"`` every token. A text longer than ``max_tokens``
    keeps the end or the start that ``keep`` names. Where the item has choices, ``alternatives[i]`` is what the target
    would be if choice i were right (``alternatives[answer] == target``), which is what a shuffled control trains on.
    """

    item_id: str
    prompt: str
    target: str
    tokenise: Literal["apart", "whole"] = "apart"
    loss_on: Literal["target", "all"] = "target"
    max_tokens: int | None = None
    keep: Literal["end", "start"] = "end"
    answer: int | None = None
    alternatives: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class ItemCounts:
    """How many documents of one split were read and kept; ``invalid`` lists (document ID, reason)."""

    read: int
    kept: int
    invalid: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, kw_only=True)
class CellItems:
    """Everything that one cell gives: training texts and test items, with the counts of what was read.

    ``counts`` has the keys ``train`` and ``test``; ``notes`` are lines for the log and the manifest.
    """

    cell: Cell
    train: tuple[TrainingText, ...]
    test: tuple[Item, ...]
    counts: dict[str, ItemCounts] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
