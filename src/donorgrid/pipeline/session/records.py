"""What a model session is given: how its model is loaded, and the targets that it answers. No torch."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from donorgrid.core.records import Item, Precision, Weights

IsRight = Callable[[str, tuple[str, ...]], bool]
"""Whether a generated text holds one of the accepted answers."""


@dataclass(frozen=True, kw_only=True)
class SessionSettings:
    """How a session's model is loaded and read.

    Attributes
    ----------
    precision : {"fp32", "bf16"}
        The precision in which items are answered; a training may use another one.
    device : str
        "auto", "cpu", or a device of torch.
    chat_template : bool
        Whether contexts are read under the tokenizer's chat template.
    chat_template_args : mapping
        Further arguments that the template reads, such as ``enable_thinking``.
    weights : {"own", "4bit"}
        How the base's weights are kept in memory.
    exact_and_fast : bool
        Whether items are scored with products in bf16, and in float32 where that could change a chosen option
        (``score.exact_and_fast``). The precision is "fp32".
    loads_by_peft : bool
        Whether PEFT loads the adapters, because other tools may have written them (``models.peft_adapters``).
    tries_ways : bool
        Whether, on a GPU, other ways to compute are compiled and tried first (``models.gpu``). It pays for long work.
    """

    precision: Precision
    device: str
    chat_template: bool = False
    chat_template_args: Mapping[str, object] = field(default_factory=dict)
    weights: Weights = "own"
    exact_and_fast: bool = False
    loads_by_peft: bool = False
    tries_ways: bool = False


@dataclass(frozen=True, kw_only=True)
class Generation:
    """How the answers of a target are generated.

    Attributes
    ----------
    until : tuple of str
        Stop strings; the text ends before the first.
    max_new_tokens : int
        The longest answer, in tokens.
    is_right : callable, optional
        Judges a text against the accepted answers of its item. None where answers are judged later, or have no
        accepted answer.
    """

    until: tuple[str, ...]
    max_new_tokens: int
    is_right: IsRight | None = None


@dataclass(frozen=True, kw_only=True, eq=False)
class AnswerTarget:
    """Items that are answered alike. Compared by identity: a session packs the items of each target once.

    Attributes
    ----------
    name : str
        The name in messages.
    items : tuple of Item
        The items, in the order of the answers.
    norm : bool
        Whether options are also chosen by log-likelihood per character (``acc_norm``).
    generation : Generation, optional
        How answers are generated. None: options are scored by log-likelihood.
    """

    name: str
    items: tuple[Item, ...]
    norm: bool = False
    generation: Generation | None = None


_OPTION_COST = 2
"""A character of an option costs so many of a context: the output head reads the tokens of options alone."""


def n_characters_read(item: Item) -> int:
    """A measure of the work of an item: the characters of its context, and those of its options twice."""
    return len(item.context) + _OPTION_COST * sum(len(item.delimiter) + len(choice) for choice in item.choices)
