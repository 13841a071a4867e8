"""Shows one item as text, as it is trained on and scored, with its tokens and the part that the loss covers."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from donorgrid.core.errors import InputError, suggestion
from donorgrid.core.records import CellItems, Item, TrainingText
from donorgrid.tasks.items.generation import GenerationRules

LOSS_FROM, LOSS_TO = "⟦", "⟧"
_BETWEEN = "|"


@dataclass(frozen=True, kw_only=True)
class ShownText:
    """A training text as a model reads it: the names of its tokens, and which of them the loss covers.

    ``way`` says how it was tokenised, ``n_cut`` how many tokens the whole text has more.
    """

    way: str
    tokens: tuple[str, ...]
    supervised: tuple[bool, ...]
    n_cut: int = 0


@dataclass(frozen=True, kw_only=True)
class ShownItem:
    """A test item as a model reads it: the names of the tokens of its context, and of each option after it.

    The answer of an item without ``options`` is generated.
    """

    context: tuple[str, ...]
    options: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True, kw_only=True)
class TokenView:
    """A model's tokenizer as it reads training texts and items."""

    text: Callable[[TrainingText], ShownText]
    item: Callable[[Item], ShownItem]


def show_cell(
    cell: CellItems,
    *,
    item_id: str | None = None,
    view: TokenView | None = None,
    rules: GenerationRules | None = None,
) -> str:
    """Show a training text and a test item of a cell.

    Parameters
    ----------
    cell
        The items of the cell.
    item_id
        Which item; by default the first training text and the first test item.
    view
        A tokenizer, to show tokens; None for none.
    rules
        The rules of a ``generate_until`` task, which say what ends an answer and how it is read.

    Returns
    -------
    str
        Several lines. The loss covers what is between ⟦ and ⟧.

    Raises
    ------
    InputError
        If no item has this ID.
    """
    texts = [text for text in cell.train if item_id in (None, text.item_id)]
    items = [item for item in cell.test if item_id in (None, item.id)]
    if not texts and not items:
        known = [item.id for item in cell.test] + [text.item_id for text in cell.train]
        raise InputError(f"cell {cell.cell}: no item has the ID '{item_id}'{suggestion(str(item_id), known)}")
    train = _training(texts[0], view) if texts else "TRAINING  none"
    test = _tested(items[0], view, rules) if items else "SCORING  none"
    notes = "".join(f"\nnote: {note}" for note in cell.notes)
    return f"{cell.cell}\n\n{train}\n\n{test}{notes}"


def _training(text: TrainingText, view: TokenView | None) -> str:
    marked = (
        f"{LOSS_FROM}{text.prompt}{text.target}{LOSS_TO}"
        if text.loss_on == "all"
        else f"{text.prompt}{LOSS_FROM}{text.target}{LOSS_TO}"
    )
    how = {
        None: "tokenised as the recipe says",
        "joint": "tokenised as the scorer reads it",
        "apart": "prompt and target tokenised apart, no special tokens",
        "whole": "tokenised whole",
    }[text.tokenise]
    head = f"TRAINING  item {text.item_id}; loss on {text.loss_on} ({LOSS_FROM}..{LOSS_TO}); {how}"
    return "\n".join([head, _indented(marked), *_messages(text.messages), *([] if view is None else _read(text, view))])


def _read(text: TrainingText, view: TokenView) -> list[str]:
    shown = view.text(text)
    n_supervised = sum(shown.supervised)
    cut = f"; TOO LONG: {shown.n_cut} are cut" if shown.n_cut else ""
    count = f"{len(shown.tokens)} tokens, loss on {n_supervised}{cut}"
    return [f"  tokenised {shown.way}: {count}", f"  {_marked_tokens(shown)}"]


def _marked_tokens(shown: ShownText) -> str:
    """The tokens, with the loss marked where it begins and ends."""
    parts: list[str] = []
    previous = False
    for token, is_supervised in zip(shown.tokens, shown.supervised, strict=True):
        mark = "" if is_supervised == previous else LOSS_FROM if is_supervised else LOSS_TO
        parts.append(f"{mark or (_BETWEEN if parts else '')}{token}")
        previous = is_supervised
    return "".join(parts) + (LOSS_TO if previous else "")


def _tested(item: Item, view: TokenView | None, rules: GenerationRules | None) -> str:
    shown = None if view is None else view.item(item)
    lines = [f"{'GENERATING' if rules else 'SCORING'}  item {item.id}", _indented(item.context)]
    lines += _messages(item.messages)
    if shown is not None:
        lines += [f"  context: {len(shown.context)} tokens", f"  {_BETWEEN.join(shown.context)}"]
    return "\n".join([*lines, *(_options(item, shown) if rules is None else _generating(item, rules))])


def _messages(messages: Sequence[tuple[str, str]]) -> list[str]:
    if not messages:
        return []
    return ["  under a chat template: " + "; ".join(f"{role} {text!r}" for role, text in messages)]


def _generating(item: Item, rules: GenerationRules) -> list[str]:
    steps = ", ".join(
        f"regex {step.regex_pattern!r}" if step.function == "regex" else step.function for step in rules.steps
    )
    return [
        f"  stops before {', '.join(map(repr, rules.until)) or 'nothing'}, or after {rules.max_new_tokens} tokens",
        f"  the answer is extracted by {steps or 'nothing: it is the whole text'}",
        f"  right -> {' or '.join(map(repr, item.choices))}",
    ]


def _options(item: Item, shown: ShownItem | None) -> list[str]:
    lines = []
    for number, choice in enumerate(item.choices):
        tokens = "" if shown is None else f"  {_BETWEEN.join(shown.options[number])}"
        lines.append(f"  {'right ->' if number == item.answer else '        '} {item.delimiter + choice!r}{tokens}")
    return lines


def _indented(text: str) -> str:
    return "\n".join(f"  | {line}" for line in text.split("\n"))
