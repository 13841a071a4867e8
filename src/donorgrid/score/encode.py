"""Items as tokens, by the exact rule of lm-eval (0.4.13), so that scores can be compared with its.

Context and context + option are tokenised as two texts; the option's tokens are what the second has beyond the LENGTH
of the first. The model reads the context's own tokens, then those; never the joint text's tokens as they are.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from jinja2.exceptions import TemplateError

from donorgrid.core.errors import InputError
from donorgrid.core.records import Item


@dataclass(frozen=True, kw_only=True)
class EncodedItem:
    """An item as token ids: the context, and for each choice the tokens that are scored after it."""

    item: Item
    context: tuple[int, ...]
    continuations: tuple[tuple[int, ...], ...]


@dataclass(frozen=True, kw_only=True)
class EncodedItems:
    """The items of one target that can be scored, and those that cannot: (item ID, reason)."""

    items: tuple[EncodedItem, ...]
    invalid: tuple[tuple[str, str], ...]


def encode_items(items: Iterable[Item], tokenizer: Any, *, chat_template: bool) -> EncodedItems:
    """Tokenise the items of one target, in their order.

    Under a chat template the model reads the item's messages, or its context as one user message. Raises InputError
    when the tokenizer has no chat template, or one that cannot render the messages.
    """
    if chat_template and not tokenizer.chat_template:
        raise InputError(
            f"{tokenizer.name_or_path}: the tokenizer has no chat template; set scoring.chat_template: false"
        )
    encoded, invalid = [], []
    for item in items:
        one = _encode(item, tokenizer, chat_template)
        empty = [index for index, tail in enumerate(one.continuations) if not tail]
        if empty:
            invalid.append((item.id, f"choice {empty[0]} has no token of its own after the context"))
        else:
            encoded.append(one)
    return EncodedItems(items=tuple(encoded), invalid=tuple(invalid))


def _encode(item: Item, tokenizer: Any, chat_template: bool) -> EncodedItem:
    context, delimiter = item.context, item.delimiter
    if chat_template:
        context, delimiter = chat_context(item, tokenizer), item.chat_delimiter
    body = context.rstrip()
    trailing = context[len(body) :]
    texts = [trailing + delimiter + choice for choice in item.choices]
    if not body:
        return _after_prefix(item, texts, tokenizer)
    ids = _tokens(body, tokenizer)
    tails = tuple(tuple(_tokens(body + text, tokenizer)[len(ids) :]) for text in texts)
    return EncodedItem(item=item, context=tuple(ids), continuations=tails)


def chat_context(item: Item, tokenizer: Any) -> str:
    """The item's messages in the tokenizer's chat template, up to where an option begins.

    A last message of the assistant is left open; after any other the assistant's turn is opened. As lm-eval does, a
    template that refuses a system message is given the others.
    """
    turns = [{"role": role, "content": text} for role, text in item.messages or (("user", item.context),)]
    try:
        return _rendered(turns, tokenizer)
    except TemplateError:
        without_system = [turn for turn in turns if turn["role"] != "system"]
    try:
        return _rendered(without_system, tokenizer)
    except TemplateError as error:
        raise InputError(
            f"item '{item.id}' of '{item.cell}': the chat template refuses its messages: {error}"
        ) from error


def _rendered(turns: list[dict[str, str]], tokenizer: Any) -> str:
    is_open = turns[-1]["role"] == "assistant"
    text: str = tokenizer.apply_chat_template(
        turns, tokenize=False, add_generation_prompt=not is_open, continue_final_message=is_open
    )
    return text


def _after_prefix(item: Item, texts: list[str], tokenizer: Any) -> EncodedItem:
    """An empty context becomes the prefix token; an option that begins with that token itself gives it up."""
    prefix = prefix_token(tokenizer)
    tails = [tuple(tokenizer.encode(text, add_special_tokens=False)) for text in texts]
    return EncodedItem(
        item=item, context=(prefix,), continuations=tuple(tail[1:] if tail[:1] == (prefix,) else tail for tail in tails)
    )


def _tokens(text: str, tokenizer: Any) -> list[int]:
    """Token ids with the tokenizer's default special tokens, or none when the text begins with the prefix token."""
    has_prefix = text.startswith(tokenizer.decode(prefix_token(tokenizer)))
    ids: list[int] = tokenizer.encode(text, add_special_tokens=False) if has_prefix else tokenizer.encode(text)
    return ids


def prefix_token(tokenizer: Any) -> int:
    """BOS, or EOS where the tokenizer has no BOS."""
    token: int = tokenizer.eos_token_id if tokenizer.bos_token_id is None else tokenizer.bos_token_id
    return token
