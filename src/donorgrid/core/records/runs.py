"""Recipes and the subjects of a study: runs, prompted base models, baselines."""

import math
from dataclasses import asdict, dataclass, replace
from typing import Literal, get_args

from donorgrid.core.records.sources import Source

Metric = Literal["acc", "acc_norm"]
METRICS: tuple[Metric, ...] = get_args(Metric)
Precision = Literal["fp32", "bf16"]
Weights = Literal["own", "4bit"]
Method = Literal["lora", "rslora", "dora", "full"]

STRONGEST = 1.5
"""The largest strength of an adapter. Above 1 it is extrapolated beyond its training."""

UNTRAINED = "untrained"
"""What stands for the recipe in tables where nothing was trained."""

LLAMA_LINEAR = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")
ADAPTER_FIELDS = ("rank", "alpha", "dropout", "target_modules")
"""The fields of a recipe that only an adapter has."""


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """A fine-tuning method with its hyperparameters, named as in PEFT and transformers.

    The defaults are the preset ``lora``. Method ``full`` trains all weights of the language model and ignores the
    fields in ``ADAPTER_FIELDS``. ``epochs`` are passes over the training items, ``batch_size`` is in texts,
    ``warmup_share`` (0-1) of the steps warm up, ``validation_share`` (0-1) of the items is held out.

    ``tokenise`` holds for texts whose task does not say it. ``joint`` is the scorer's way. ``apart`` is the way of
    arXiv 2511.13368, in which a text whose loss covers every token is ``whole``. ``append_eos`` adds the end of turn of
    a chat template, or EOS, to the target; None: under a chat template alone.

    ``l2_sp`` is the weight μ of ½ μ ‖W' - W0‖² (Frobenius, summed over the changed weights), which pulls every step
    back to the base (L2-SP: Li et al. 2018, arXiv 1802.01483); 0: no such term.
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
    tokenise: Literal["joint", "apart"] = "joint"
    append_eos: bool | None = None
    l2_sp: float = 0.0

    @property
    def trains_alone(self) -> bool:
        """True if its runs cannot share training steps: each draws dropout masks, or changes the base weights."""
        return self.dropout > 0 or self.method in ("dora", "full")

    def n_steps(self, n_texts: int) -> int:
        """The optimizer steps of a training on ``n_texts`` texts; the last batch of an epoch may be small."""
        return math.ceil(n_texts / self.batch_size) * self.epochs

    def n_warmup_steps(self, n_texts: int) -> int:
        """The optimizer steps of the warm-up: its share of all steps, rounded up as HF's Trainer does."""
        return math.ceil(self.warmup_share * self.n_steps(n_texts))

    @property
    def hyperparameters(self) -> dict[str, object]:
        """What identifies the recipe: every field that has an effect, without the name.

        The only way of texts that recipes once had is left out, and so are remedies of weight 0, so that results of
        then keep their names.
        """
        is_former_way = (self.tokenise, self.append_eos) == ("apart", False)
        former = ("tokenise", "append_eos") if is_former_way else ()
        remedies = () if self.l2_sp else ("l2_sp",)
        unread = ("name", *former, *remedies, *(ADAPTER_FIELDS if self.method == "full" else ()))
        return {key: value for key, value in asdict(self).items() if key not in unread}


@dataclass(frozen=True, kw_only=True)
class Run:
    """One fine-tuning: a base model (by its name in the study), a source, a recipe and its draws.

    Attributes
    ----------
    train_size : int, optional
        The number of training items before the validation split; None means all.
    data_seed : int
        Draws which items are used if ``train_size`` leaves some out.
    checkpoint : float, optional
        The adapter after this many epochs of the training; None: the final adapter, from its best epoch.
    strength : float, optional
        How much of the adapter's change is applied, from 0 to ``STRONGEST``: W0 + strength (W' - W0). None: all of it.
    """

    model: str
    source: Source
    recipe: Recipe
    train_seed: int
    data_seed: int = 0
    train_size: int | None = None
    checkpoint: float | None = None
    strength: float | None = None

    @property
    def course(self) -> "Run":
        """The training that gives this adapter, and those of the other checkpoints."""
        return replace(self, checkpoint=None, strength=None)

    @property
    def as_trained(self) -> "Run":
        """The run with the same adapter at its whole strength."""
        return self if self.strength is None else replace(self, strength=None)


def after(checkpoint: float) -> str:
    """Returns a checkpoint in words: ``after 1 epoch``."""
    return f"after {epochs_in_words(checkpoint)}"


def at_strength(strength: float) -> str:
    """Returns a strength in words: ``at strength 0.5``; above 1 with the word ``extrapolation``."""
    return f"at strength {strength:g}" + (" (extrapolation)" if strength > 1 else "")


def point_in_words(checkpoint: float | None, strength: float | None) -> str:
    """Which point of a training is meant.

    Parameters
    ----------
    checkpoint
        Epochs of the training; None for its end.
    strength
        How much of the adapter's change is applied; None for all of it.

    Returns
    -------
    str
        ``after 1 epoch, at strength 0.5``; empty for the adapter as it was trained.
    """
    parts = [] if checkpoint is None else [after(checkpoint)]
    return ", ".join(parts if strength is None else [*parts, at_strength(strength)])


def epochs_in_words(number: float) -> str:
    """Returns ``1 epoch``, ``0.5 epochs``."""
    return f"{number:g} epoch{'' if number == 1 else 's'}"


@dataclass(frozen=True, kw_only=True)
class Prompted:
    """The untrained base model, which reads solved examples of a few-shot source before every item.

    ``draw_seed`` draws the examples. Tables show it in the column ``train_seed``.
    """

    model: str
    source: Source
    draw_seed: int


@dataclass(frozen=True, kw_only=True)
class Baseline:
    """The untrained base model. ``replicate`` numbers baselines that were measured more than once."""

    model: str
    replicate: int | None = None


Subject = Run | Prompted | Baseline
