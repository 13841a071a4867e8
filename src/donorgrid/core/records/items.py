"""What a cell holds: test items, training texts, and counts of what was read."""

from dataclasses import dataclass, field
from typing import Literal

from donorgrid.core.records.sources import Cell

TokeniseWay = Literal["joint", "apart", "whole"]
"""How a training text becomes tokens.

``joint``: as the scorer reads a context and an option, with special tokens and, where the study has one, the chat
template. ``apart``: prompt and target separately, without special tokens. ``whole``: prompt + target as one
text, with the tokenizer's special tokens.
"""


@dataclass(frozen=True, kw_only=True)
class Item:
    """One multiple-choice test item.

    Attributes
    ----------
    id : str
        The item's ID; parallel items of several languages share it.
    cell : Cell
        The target that the item belongs to.
    context : str
        What the model reads. The text of a choice is ``delimiter + choice``.
    choices : tuple of str
        The choices; ``acc_norm`` divides log-likelihoods by their length in characters.
    answer : int
        The index of the gold choice.
    delimiter : str
        What stands between the context and a choice.
    cluster : str, optional
        The name of what several items share, such as a passage.
    messages : tuple of (str, str)
        (role, text) of a conversation, which the model reads under a chat template; a last message of the assistant is
        left open. If empty, the context is the only message, from the user.
    chat_delimiter : str
        What stands before a choice under a chat template.
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
    """A solved item of a few-shot prompt: its ID, and its text with the delimiter that follows it."""

    id: str
    text: str


@dataclass(frozen=True, kw_only=True)
class TrainingText:
    """One training text and the part of it that the loss covers.

    Attributes
    ----------
    item_id : str
        The ID of the training item.
    prompt, target : str
        The two parts of the text.
    delimiter : str
        What ``target`` begins with. Under a chat template ``chat_delimiter`` stands in its stead.
    messages : tuple of (str, str)
        (role, text) of a conversation, which the model reads under a chat template; a last message of the assistant is
        left open. If empty, the prompt is the only message, from the user.
    chat_delimiter : str
        What stands before the answer under a chat template.
    tokenise : str, optional
        One of ``TOKENISE_WAYS``; None: as the recipe says.
    loss_on : str
        ``target``: the loss covers the tokens of the target. ``all``: it covers every token.
    max_tokens : int, optional
        A longer text is truncated to this many tokens; None keeps what the model reads.
    max_tokens_apart : int, optional
        The same for a text that is tokenised ``apart``, where it has another limit.
    keep : str
        Which end of a truncated text is kept: ``end`` or ``start``.
    answer : int, optional
        The index of the gold choice, where the item has choices.
    alternatives : tuple of str
        ``alternatives[i]`` is the target if choice i were right, so ``alternatives[answer] == target``. A shuffled
        control trains on one of them.
    """

    item_id: str
    prompt: str
    target: str
    delimiter: str = " "
    messages: tuple[tuple[str, str], ...] = ()
    chat_delimiter: str = ""
    tokenise: TokeniseWay | None = None
    loss_on: Literal["target", "all"] = "target"
    max_tokens: int | None = None
    max_tokens_apart: int | None = None
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
    """All training texts and test items of one cell.

    ``counts`` has the keys ``train`` and ``test``; ``notes`` are lines for the log and the manifest.
    """

    cell: Cell
    train: tuple[TrainingText, ...]
    test: tuple[Item, ...]
    counts: dict[str, ItemCounts] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class SharedItems:
    """The test items of a target that a source trains on.

    Attributes
    ----------
    source, target : Cell
        The two ends of the pair.
    n_shared, n_items : int
        How many of the target's test items they are, and how many it has.
    example : str
        The ID of one of them.
    parallel : bool
        False: a training text occurs in the item. True: it occurs in the item of this ID in another language, or a
        training item has this ID.
    """

    source: Cell
    target: Cell
    n_shared: int
    n_items: int
    example: str
    parallel: bool
