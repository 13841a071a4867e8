"""Items as tokens, by the exact rule of lm-eval (0.4.13), so that scores can be compared with its scores.

``models.encoding`` holds the rule: training texts are tokenized by the same functions.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from donorgrid.core.records import Item
from donorgrid.models.encoding.chat import check_template
from donorgrid.models.encoding.pairs import Opening, chat_text, encode_answers, prefix_token


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
    if chat_template:
        check_template(tokenizer)
    valid, invalid = [], []
    for item in items:
        encoded = _encode(item, tokenizer, chat_template_args if chat_template else None)
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
    return chat_text(_opening(item), tokenizer, arguments)


def encode_context(text: str, tokenizer: Any) -> list[int]:
    """Tokenizes a context after which text is generated, as lm-eval does.

    Parameters
    ----------
    text
        The context.
    tokenizer
        A transformers tokenizer.

    Returns
    -------
    list of int
        Token IDs with the default special tokens, or with none if the text begins with its BOS; never empty.
    """
    begins_with_bos = tokenizer.bos_token is not None and text.startswith(tokenizer.bos_token)
    ids: list[int] = tokenizer.encode(text, add_special_tokens=False) if begins_with_bos else tokenizer.encode(text)
    return ids or [prefix_token(tokenizer)]


def _encode(item: Item, tokenizer: Any, template_args: Mapping[str, Any] | None) -> EncodedItem:
    encoded = encode_answers(_opening(item), item.choices, tokenizer, template_args=template_args)
    return EncodedItem(item=item, context=encoded.context, continuations=encoded.continuations)


def _opening(item: Item) -> Opening:
    return Opening(
        context=item.context,
        delimiter=item.delimiter,
        messages=item.messages,
        chat_delimiter=item.chat_delimiter,
        where=f"item '{item.id}' of '{item.cell}'",
    )
