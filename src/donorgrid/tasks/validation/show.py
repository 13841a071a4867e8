"""Shows one item as text, as it is trained on and scored, with its tokens and the part that the loss covers."""

from collections.abc import Callable, Sequence

from donorgrid.core.errors import InputError, suggestion
from donorgrid.core.records import CellItems, Item, TrainingText
from donorgrid.tasks.items.generation import GenerationRules

Encode = Callable[[str, bool], Sequence[int]]
"""A tokenizer: takes (text, with special tokens?) and returns token ids."""

LOSS_FROM, LOSS_TO = "⟦", "⟧"


def show_cell(
    cell: CellItems,
    *,
    item_id: str | None = None,
    encode: Encode | None = None,
    rules: GenerationRules | None = None,
) -> str:
    """Show a training text and a test item of a cell.

    Parameters
    ----------
    cell
        The items of the cell.
    item_id
        Which item; by default the first training text and the first test item.
    encode
        A tokenizer, for token counts; None for none.
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
    train = _training(texts[0], encode) if texts else "TRAINING  none"
    test = _tested(items[0], encode, rules) if items else "SCORING  none"
    notes = "".join(f"\nnote: {note}" for note in cell.notes)
    return f"{cell.cell}\n\n{train}\n\n{test}{notes}"


def _training(text: TrainingText, encode: Encode | None) -> str:
    marked = (
        f"{LOSS_FROM}{text.prompt}{text.target}{LOSS_TO}"
        if text.loss_on == "all"
        else f"{text.prompt}{LOSS_FROM}{text.target}{LOSS_TO}"
    )
    how = "prompt and target tokenised apart, no special tokens" if text.tokenise == "apart" else "tokenised whole"
    head = f"TRAINING  item {text.item_id}; loss on {text.loss_on} ({LOSS_FROM}..{LOSS_TO}); {how}"
    return "\n".join([head, *([] if encode is None else [_training_tokens(text, encode)]), _indented(marked)])


def _training_tokens(text: TrainingText, encode: Encode) -> str:
    if text.tokenise == "whole":
        total = len(encode(text.prompt + text.target, True))
        parts = f"{total} tokens"
    else:
        n_prompt, n_target = len(encode(text.prompt, False)), len(encode(text.target, False))
        total = n_prompt + n_target
        parts = f"{total} tokens ({n_prompt} prompt + {n_target} target)"
    if text.max_tokens is None or total <= text.max_tokens:
        return f"  {parts}" + ("" if text.max_tokens is None else f", at most {text.max_tokens}")
    return (
        f"  {parts}, TOO LONG: {total - text.max_tokens} are cut, the {text.keep} is kept (at most {text.max_tokens})"
    )


def _tested(item: Item, encode: Encode | None, rules: GenerationRules | None) -> str:
    counted = "" if encode is None else f"; context {len(encode(item.context, True))} tokens"
    lines = [f"{'GENERATING' if rules else 'SCORING'}  item {item.id}{counted}", _indented(item.context)]
    if item.messages:
        lines.append("  under a chat template: " + "; ".join(f"{role} {text!r}" for role, text in item.messages))
    return "\n".join([*lines, *(_options(item, encode) if rules is None else _generating(item, rules))])


def _generating(item: Item, rules: GenerationRules) -> list[str]:
    steps = ", ".join(
        f"regex {step.regex_pattern!r}" if step.function == "regex" else step.function for step in rules.steps
    )
    return [
        f"  stops before {', '.join(map(repr, rules.until)) or 'nothing'}, or after {rules.max_new_tokens} tokens",
        f"  the answer is extracted by {steps or 'nothing: it is the whole text'}",
        f"  right -> {' or '.join(map(repr, item.choices))}",
    ]


def _options(item: Item, encode: Encode | None) -> list[str]:
    lines = []
    for number, choice in enumerate(item.choices):
        text = item.delimiter + choice
        tokens = "" if encode is None else f"  ({len(encode(text, False))} tokens)"
        lines.append(f"  {'right ->' if number == item.answer else '        '} {text!r}{tokens}")
    return lines


def _indented(text: str) -> str:
    return "\n".join(f"  | {line}" for line in text.split("\n"))
