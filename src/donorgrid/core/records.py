"""The records that cross the borders between stages: frozen, keyword-only, typed.

A source and a target are the two ends of one ordered pair. "No source" is a type of its own (``Baseline``), never an
empty string or NaN.
"""

from dataclasses import asdict, dataclass, field, replace
from typing import Literal, Self

from donorgrid.core.errors import InputError

Metric = Literal["acc", "acc_norm"]
Precision = Literal["fp32", "bf16"]
Weights = Literal["own", "4bit"]
TrainedControl = Literal["shuffled", "content-free"]
ControlKind = TrainedControl | Literal["few-shot"]
SourceKind = Literal["cell", "mix", "control"]
Method = Literal["lora", "rslora", "dora", "full"]

UNTRAINED = "untrained"
"""What stands for the recipe in tables where nothing was trained."""

LLAMA_LINEAR = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")
ADAPTER_FIELDS = ("rank", "alpha", "dropout", "target_modules")


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
    """What a run trains on, or what a prompt shows.

    kind ``cell``: one cell, weight 1. kind ``mix``: two or more cells with weights that sum to 1.
    kind ``control``: one cell, whose training texts are changed as ``control`` says; for ``few-shot`` nothing is
    trained, and ``shots`` of its items stand solved before every item that is answered.
    """

    kind: SourceKind
    name: str
    parts: tuple[tuple[Cell, float], ...]
    control: ControlKind | None = None
    shots: int | None = None

    @classmethod
    def of_cell(cls, cell: Cell) -> Self:
        """The source that is one plain cell."""
        return cls(kind="cell", name=str(cell), parts=((cell, 1.0),))

    @classmethod
    def of_control(cls, control: ControlKind, cell: Cell, *, shots: int | None = None) -> Self:
        """A control on one cell; ``shots`` belongs to ``few-shot``."""
        made = cls(kind="control", name="", parts=((cell, 1.0),), control=control, shots=shots)
        return replace(made, name=f"{made.control_name}:{cell}")

    @property
    def control_name(self) -> str | None:
        """The kind of control as it stands in tables and paths: ``shuffled``, ``content-free``, ``few-shot-4``."""
        return self.control if self.shots is None else f"{self.control}-{self.shots}"

    @property
    def is_trained(self) -> bool:
        """Whether a run trains on it; a few-shot control only shows it."""
        return self.control != "few-shot"

    @property
    def cells(self) -> tuple[Cell, ...]:
        """The cells whose training items are used."""
        return tuple(cell for cell, _ in self.parts)

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """A fine-tuning method with its hyperparameters; the defaults are the preset ``paper`` (arXiv 2511.13368).

    With method ``full`` all weights of the language model are trained, and the fields in ``ADAPTER_FIELDS`` mean
    nothing.
    """

    name: str
    method: Method = "lora"
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

    @property
    def trains_alone(self) -> bool:
        """Whether its runs cannot share their steps: random draws of their own, or the network itself."""
        return self.dropout > 0 or self.method in ("dora", "full")

    @property
    def hyperparameters(self) -> dict[str, object]:
        """What makes it the recipe that it is: every field that means something, but for the name."""
        unread = ("name", *(ADAPTER_FIELDS if self.method == "full" else ()))
        return {key: value for key, value in asdict(self).items() if key not in unread}


@dataclass(frozen=True, kw_only=True)
class Run:
    """One fine-tuning: a base model (by its name in the study), a source, a recipe and its draws.

    ``train_size`` is the number of training items before the validation split; None means all.
    ``data_seed`` chooses which items, when ``train_size`` leaves some out. ``checkpoint``: the adapter as it was after
    so many epochs of this training; None: as it ended, at its best epoch.
    """

    model: str
    source: Source
    recipe: Recipe
    train_seed: int
    data_seed: int = 0
    train_size: int | None = None
    checkpoint: float | None = None

    @property
    def course(self) -> "Run":
        """The training that this belongs to, which gives the adapter at its end and at every checkpoint."""
        return self if self.checkpoint is None else replace(self, checkpoint=None)


def after(checkpoint: float) -> str:
    """A checkpoint in words: ``after 1 epoch``."""
    return f"after {epochs_in_words(checkpoint)}"


def epochs_in_words(number: float) -> str:
    """``1 epoch``, ``0.5 epochs``."""
    return f"{number:g} epoch{'' if number == 1 else 's'}"


@dataclass(frozen=True, kw_only=True)
class Prompted:
    """The base model, not trained, that reads solved examples of a few-shot source before every item.

    ``draw_seed`` draws the examples; in tables it stands where a run has its train seed.
    """

    model: str
    source: Source
    draw_seed: int


@dataclass(frozen=True, kw_only=True)
class Baseline:
    """The base model itself, not trained. ``replicate`` tells apart baselines that were measured more than once."""

    model: str
    replicate: int | None = None


Subject = Run | Prompted | Baseline


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
class Example:
    """A solved item as it stands before another one, with the delimiter that follows it."""

    id: str
    text: str


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
