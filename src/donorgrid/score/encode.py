"""Items as tokens, by the exact rule of lm-eval (0.4.13), so that scores can be compared with its scores.

Context and context + option are tokenized as two texts. The option's tokens are those of the second text beyond the
LENGTH of the first. The model reads the tokens of the context alone, then those of the option; it never reads the
tokens of the joint text as they are.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from jinja2.exceptions import TemplateError

from donorgrid.core.errors import InputError
from donorgrid.core.records import Item


@dataclass(frozen=True, kw_only=True)
class EncodedItem:
    """An item as token ids: the context, and for each option its continuation, the tokens that are scored after it."""

    item: Item
    context: tuple[int, ...]
    continuations: tuple[tuple[int, ...], ...]


@dataclass(frozen=True, kw_only=True)
class EncodedItems:
    """The items of one target that can be scored, and those that cannot: (item ID, reason)."""

    items: tuple[EncodedItem, ...]
    invalid: tuple[tuple[str, str], ...]


def encode_items(
    items: Iterable[Item],
    tokenizer: Any,
    *,
    chat_template: bool,
    chat_template_args: Mapping[str, Any] = MappingProxyType({}),
) -> EncodedItems:
    """Tokenizes the items of one target.

    Parameters
    ----------
    items
        Items with options.
    tokenizer
        A transformers tokenizer.
    chat_template
        Whether the model reads the item's messages (or its context as one user message) in the chat template.
    chat_template_args
        Further arguments that the template reads, such as ``enable_thinking``.

    Returns
    -------
    EncodedItems
        In the order of ``items``.

    Raises
    ------
    InputError
        The tokenizer has no chat template, or one that cannot render the messages.
    """
    if chat_template and not tokenizer.chat_template:
        raise InputError(
            f"{tokenizer.name_or_path}: the tokenizer has no chat template; set scoring.chat_template: false"
        )
    valid, invalid = [], []
    for item in items:
        encoded = _encode(item, tokenizer, chat_template, chat_template_args)
        empty = [index for index, continuation in enumerate(encoded.continuations) if not continuation]
        if empty:
            invalid.append((item.id, f"choice {empty[0]} has no token of its own after the context"))
        else:
            valid.append(encoded)
    return EncodedItems(items=tuple(valid), invalid=tuple(invalid))


def chat_context(item: Item, tokenizer: Any, arguments: Mapping[str, Any] = MappingProxyType({})) -> str:
    """The item's messages in the chat template, up to where an option begins.

    A last message of the assistant stays open; after any other message the assistant's turn is opened. A template that
    refuses a system message gets the other messages, as in lm-eval.

    Parameters
    ----------
    item
        Its messages; without any, its context is one user message.
    tokenizer
        A transformers tokenizer with a chat template.
    arguments
        Further arguments that the template reads.

    Returns
    -------
    str
        The rendered text.

    Raises
    ------
    InputError
        The template refuses the messages.
    """
    messages = [{"role": role, "content": text} for role, text in item.messages or (("user", item.context),)]
    try:
        return _render(messages, tokenizer, arguments)
    except TemplateError:
        without_system = [message for message in messages if message["role"] != "system"]
    try:
        return _render(without_system, tokenizer, arguments)
    except TemplateError as error:
        raise InputError(
            f"item '{item.id}' of '{item.cell}': the chat template refuses its messages: {error}"
        ) from error


def prefix_token(tokenizer: Any) -> int:
    """BOS, or EOS where the tokenizer has no BOS."""
    token: int = tokenizer.eos_token_id if tokenizer.bos_token_id is None else tokenizer.bos_token_id
    return token


def _encode(item: Item, tokenizer: Any, chat_template: bool, arguments: Mapping[str, Any]) -> EncodedItem:
    context, delimiter = item.context, item.delimiter
    if chat_template:
        context, delimiter = chat_context(item, tokenizer, arguments), item.chat_delimiter
    stripped = context.rstrip()
    trailing = context[len(stripped) :]
    options = [trailing + delimiter + choice for choice in item.choices]
    if not stripped:
        return _encode_without_context(item, options, tokenizer)
    context_ids = _tokenize(stripped, tokenizer)
    continuations = tuple(tuple(_tokenize(stripped + option, tokenizer)[len(context_ids) :]) for option in options)
    return EncodedItem(item=item, context=tuple(context_ids), continuations=continuations)


def _encode_without_context(item: Item, options: list[str], tokenizer: Any) -> EncodedItem:
    """An empty context becomes the prefix token; an option that begins with that token loses it."""
    prefix = prefix_token(tokenizer)
    encoded = [tuple(tokenizer.encode(option, add_special_tokens=False)) for option in options]
    return EncodedItem(
        item=item, context=(prefix,), continuations=tuple(ids[1:] if ids[:1] == (prefix,) else ids for ids in encoded)
    )


def _tokenize(text: str, tokenizer: Any) -> list[int]:
    """Token ids with the tokenizer's default special tokens, or with none if the text begins with the prefix token."""
    has_prefix = text.startswith(tokenizer.decode(prefix_token(tokenizer)))
    ids: list[int] = tokenizer.encode(text, add_special_tokens=False) if has_prefix else tokenizer.encode(text)
    return ids


def _render(messages: list[dict[str, str]], tokenizer: Any, arguments: Mapping[str, Any]) -> str:
    is_open = messages[-1]["role"] == "assistant"
    text: str = tokenizer.apply_chat_template(
        messages, tokenize=False, add_generation_prompt=not is_open, continue_final_message=is_open, **arguments
    )
    return text
