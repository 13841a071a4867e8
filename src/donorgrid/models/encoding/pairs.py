"""A context and what may follow it as tokens, by the exact rule of lm-eval (0.4.13).

Context and context + continuation are tokenized as two texts. The continuation's tokens are those of the second text
beyond the LENGTH of the first. The model reads the tokens of the context alone, then those of the continuation; it
never reads the tokens of the joint text as they are. Scoring reads the options of an item this way, training the target
of a text.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from donorgrid.core.errors import InputError
from donorgrid.models.encoding.chat import render_chat


@dataclass(frozen=True, kw_only=True)
class Opening:
    """What stands before an answer, as plain text and for a chat template.

    Attributes
    ----------
    context
        The plain text.
    delimiter
        What stands between the context and an answer.
    messages
        (role, text) of a conversation. If empty, the context is the only message, from the user.
    chat_delimiter
        What stands before an answer under a chat template.
    where
        What it belongs to, for errors.
    """

    context: str
    delimiter: str
    messages: tuple[tuple[str, str], ...]
    chat_delimiter: str
    where: str


@dataclass(frozen=True)
class EncodedAnswers:
    """The tokens of a context, and for each answer the tokens that follow it."""

    context: tuple[int, ...]
    continuations: tuple[tuple[int, ...], ...]


def chat_text(opening: Opening, tokenizer: Any, arguments: Mapping[str, Any]) -> str:
    """The messages of an opening in the chat template, up to where an answer begins.

    Parameters
    ----------
    opening
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
    messages = opening.messages or (("user", opening.context),)
    return render_chat(messages, tokenizer, arguments, where=opening.where)


def encode_answers(
    opening: Opening, answers: Sequence[str], tokenizer: Any, *, template_args: Mapping[str, Any] | None
) -> EncodedAnswers:
    """Tokenizes a context and the answers that may follow it.

    Parameters
    ----------
    opening
        What stands before the answers.
    answers
        The answers without their delimiter.
    tokenizer
        A transformers tokenizer.
    template_args
        Further arguments of the chat template; None: the model reads the plain context.

    Returns
    -------
    EncodedAnswers
        In the order of ``answers``. An answer that joins the context's last token has no token of its own.

    Raises
    ------
    InputError
        The chat template refuses the messages, or the context is empty and the tokenizer has neither BOS nor EOS.
    """
    context, continuations = split_texts(opening, answers, tokenizer, template_args=template_args)
    if not context:
        return _after_nothing(continuations, tokenizer)
    context_ids = tokenize(context, tokenizer)
    joint = (tokenize(context + continuation, tokenizer) for continuation in continuations)
    return EncodedAnswers(tuple(context_ids), tuple(tuple(ids[len(context_ids) :]) for ids in joint))


def split_texts(
    opening: Opening, answers: Sequence[str], tokenizer: Any, *, template_args: Mapping[str, Any] | None
) -> tuple[str, list[str]]:
    """Joins an opening and answers, and splits the text where the context ends: before its trailing whitespace.

    Parameters
    ----------
    opening, answers, tokenizer, template_args
        As for ``encode_answers``.

    Returns
    -------
    (str, list of str)
        The context, and what follows it with each answer.

    Raises
    ------
    InputError
        The chat template refuses the messages.
    """
    context, delimiter = opening.context, opening.delimiter
    if template_args is not None:
        context, delimiter = chat_text(opening, tokenizer, template_args), opening.chat_delimiter
    stripped = context.rstrip()
    return stripped, [context[len(stripped) :] + delimiter + answer for answer in answers]


def prefix_token(tokenizer: Any) -> int:
    """BOS, or EOS where the tokenizer has no BOS. InputError if it has neither."""
    token = _prefix_or_none(tokenizer)
    if token is None:
        raise InputError(
            f"tokenizer '{tokenizer.name_or_path}': it has neither a BOS nor an EOS token, and a text that is "
            "empty before the answer begins with one of them"
        )
    return token


def tokenize(text: str, tokenizer: Any) -> list[int]:
    """Tokenizes a text as lm-eval does.

    Parameters
    ----------
    text
        The text.
    tokenizer
        A transformers tokenizer.

    Returns
    -------
    list of int
        Token IDs with the tokenizer's default special tokens, or with none if the text begins with the prefix token.
    """
    prefix = _prefix_or_none(tokenizer)
    has_prefix = prefix is not None and text.startswith(tokenizer.decode(prefix))
    ids: list[int] = tokenizer.encode(text, add_special_tokens=False) if has_prefix else tokenizer.encode(text)
    return ids


def _prefix_or_none(tokenizer: Any) -> int | None:
    token: int | None = tokenizer.eos_token_id if tokenizer.bos_token_id is None else tokenizer.bos_token_id
    return token


def _after_nothing(continuations: Sequence[str], tokenizer: Any) -> EncodedAnswers:
    """An empty context becomes the prefix token; a continuation that begins with that token loses it."""
    prefix = prefix_token(tokenizer)
    encoded = [tuple(tokenizer.encode(text, add_special_tokens=False)) for text in continuations]
    return EncodedAnswers((prefix,), tuple(ids[1:] if ids[:1] == (prefix,) else ids for ids in encoded))
