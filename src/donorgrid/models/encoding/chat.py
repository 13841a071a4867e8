"""Messages in a tokenizer's chat template: up to where an answer begins, and how the template ends an answer."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from jinja2.exceptions import TemplateError

from donorgrid.core.errors import InputError

_REFUSALS = (TemplateError, ValueError, TypeError, LookupError, AttributeError, RuntimeError, ArithmeticError)
"""What a template raises, by itself or because of what it calculates."""
_MARK = "donorgridanswer"
"""An answer that no chat template writes by itself."""


def check_template(tokenizer: Any) -> None:
    """Raises InputError if the tokenizer has no chat template."""
    if not tokenizer.chat_template:
        raise InputError(
            f"{tokenizer.name_or_path}: the tokenizer has no chat template; set scoring.chat_template: false"
        )


def render_chat(
    messages: Sequence[tuple[str, str]],
    tokenizer: Any,
    arguments: Mapping[str, Any] = MappingProxyType({}),
    *,
    where: str,
) -> str:
    """Messages in the chat template, up to where an answer begins.

    A last message of the assistant stays open; after any other message the assistant's turn is opened. A template that
    refuses a system message gets the other messages, as in lm-eval.

    Parameters
    ----------
    messages
        (role, text) pairs.
    tokenizer
        A transformers tokenizer with a chat template.
    arguments
        Further arguments that the template reads.
    where
        What the messages belong to, for errors.

    Returns
    -------
    str
        The rendered text.

    Raises
    ------
    InputError
        The template refuses the messages.
    """
    as_objects = [{"role": role, "content": text} for role, text in messages]
    is_open = as_objects[-1]["role"] == "assistant"
    how = {"add_generation_prompt": not is_open, "continue_final_message": is_open, **arguments}
    try:
        return _render(as_objects, tokenizer, how)
    except _REFUSALS:
        without_system = [message for message in as_objects if message["role"] != "system"]
    try:
        return _render(without_system, tokenizer, how)
    except _REFUSALS as error:
        raise InputError(
            f"{tokenizer.name_or_path}: its chat template refuses the messages of {where}: {_first_line(error)}"
        ) from error


def end_of_turn(tokenizer: Any, arguments: Mapping[str, Any] = MappingProxyType({})) -> tuple[int, ...]:
    """The tokens by which a chat template ends an answer, up to its first special token.

    Parameters
    ----------
    tokenizer
        A transformers tokenizer with a chat template.
    arguments
        Further arguments that the template reads.

    Returns
    -------
    tuple of int
        The tokenizer's EOS where the template writes no special token after an answer.

    Raises
    ------
    InputError
        The template refuses an answer, or neither it nor the tokenizer has an end.
    """
    messages = [{"role": "user", "content": "?"}, {"role": "assistant", "content": _MARK}]
    try:
        rendered = _render(messages, tokenizer, {"add_generation_prompt": False, **arguments})
    except _REFUSALS as error:
        raise InputError(f"{tokenizer.name_or_path}: the chat template refuses an answer: {error}") from error
    tokens = tokenizer.encode(rendered.rpartition(_MARK)[2], add_special_tokens=False) if _MARK in rendered else []
    special = special_tokens(tokenizer)
    first = next((index for index, token in enumerate(tokens) if token in special), None)
    return end_of_text(tokenizer) if first is None else tuple(tokens[: first + 1])


def end_of_text(tokenizer: Any) -> tuple[int, ...]:
    """The tokenizer's EOS as the end of a text. InputError if it has none."""
    if tokenizer.eos_token_id is None:
        raise InputError(f"{tokenizer.name_or_path}: the tokenizer has no EOS token; set append_eos: false")
    return (tokenizer.eos_token_id,)


def special_tokens(tokenizer: Any) -> frozenset[int]:
    """The IDs of the tokens that a tokenizer calls special."""
    added = {token for token, content in tokenizer.added_tokens_decoder.items() if content.special}
    return frozenset({*tokenizer.all_special_ids, *added})


def _render(messages: list[dict[str, str]], tokenizer: Any, how: Mapping[str, Any]) -> str:
    text: str = tokenizer.apply_chat_template(messages, tokenize=False, **how)
    return text


def _first_line(error: Exception) -> str:
    return next(iter(str(error).splitlines()), type(error).__name__)
