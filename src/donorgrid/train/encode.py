"""Training texts as tokens, with a mark on every token that the loss covers."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from donorgrid.core.errors import InputError
from donorgrid.core.records import TextEncoding, TrainingText
from donorgrid.models.encoding.chat import check_template, end_of_text, end_of_turn
from donorgrid.models.encoding.pairs import Opening, encode_answers


@dataclass(frozen=True)
class EncodedText:
    """A training text as tokens.

    Attributes
    ----------
    token_ids
        All tokens of the text.
    supervised
        For each token, whether the loss covers it (transformers: its label is not -100). The first token has no
        context and is never supervised.
    n_cut
        How many tokens the whole text had more.
    """

    token_ids: tuple[int, ...]
    supervised: tuple[bool, ...]
    n_cut: int = 0

    @property
    def n_supervised(self) -> int:
        """The number of tokens that the loss covers."""
        return sum(self.supervised)

    @cached_property
    def input_ids(self) -> tuple[int, ...]:
        """The tokens that the model must read: all before the last supervised one."""
        return self.token_ids[: max(index for index, is_supervised in enumerate(self.supervised) if is_supervised)]


@dataclass(frozen=True, kw_only=True)
class Corpus:
    """The encoded texts of one training.

    Attributes
    ----------
    train
        Texts that are trained on.
    validation
        Texts whose loss chooses the epoch; empty: the last epoch counts.
    """

    train: tuple[EncodedText, ...]
    validation: tuple[EncodedText, ...]


def encode_texts(
    texts: Iterable[TrainingText], tokenizer: Any, encoding: TextEncoding | None = None
) -> tuple[EncodedText, ...]:
    """Tokenizes training texts, by default as the scorer tokenizes a context and an option.

    Parameters
    ----------
    texts
        Texts with their rules: what the loss covers, where long texts are cut.
    tokenizer
        A transformers tokenizer.
    encoding
        How they become tokens; by default as in a study without a chat template.

    Returns
    -------
    tuple of EncodedText
        In the order of ``texts``.

    Raises
    ------
    InputError
        A text has no token left for the loss, or the tokenizer lacks the chat template or the end that is asked for.
    """
    encoding = encoding or TextEncoding()
    ends = TextEnds(tokenizer, encoding)
    return tuple(_encode(text, tokenizer, encoding, ends) for text in texts)


class TextEnds:
    """The tokens that end the texts of a training.

    Parameters
    ----------
    tokenizer
        A transformers tokenizer.
    encoding
        How the texts become tokens.
    """

    def __init__(self, tokenizer: Any, encoding: TextEncoding) -> None:
        self._tokenizer, self._encoding = tokenizer, encoding

    def of(self, text: TrainingText) -> tuple[int, ...]:
        """The tokens that end one text; none where nothing is appended. InputError if there is no such token."""
        if not self._encoding.appends_eos(text):
            return ()
        return self._of_turn if self._encoding.reads_template(text) else end_of_text(self._tokenizer)

    @cached_property
    def _of_turn(self) -> tuple[int, ...]:
        return end_of_turn(self._tokenizer, self._encoding.template_args or {})


def _encode(text: TrainingText, tokenizer: Any, encoding: TextEncoding, ends: TextEnds) -> EncodedText:
    parts = {"joint": _joint, "apart": _apart, "whole": _whole}[encoding.way(text)]
    token_ids, supervised = parts(text, tokenizer, encoding)
    end = ends.of(text)
    if end and tuple(token_ids[-len(end) :]) != end:
        token_ids, supervised = [*token_ids, *end], [*supervised, *[True] * len(end)]
    if text.loss_on == "all":
        supervised = [True] * len(token_ids)
    n_tokens = len(token_ids)
    kept = _kept(n_tokens, text, encoding)
    token_ids, supervised = token_ids[kept], supervised[kept]
    supervised[:1] = [False] * len(supervised[:1])
    if not any(supervised):
        raise InputError(f"training text '{text.item_id}': no token is left for the loss")
    return EncodedText(tuple(token_ids), tuple(supervised), n_cut=n_tokens - len(token_ids))


def _kept(n_tokens: int, text: TrainingText, encoding: TextEncoding) -> slice:
    """The part of a text that its own limit leaves, then as the scorer cuts: the end of what the model reads."""
    limit = encoding.limit(text)
    n_kept = n_tokens if limit is None else min(limit, n_tokens)
    start, stop = (n_tokens - n_kept, n_tokens) if text.keep == "end" else (0, n_kept)
    return slice(start if encoding.max_length is None else max(start, stop - encoding.max_length - 1), stop)


def _joint(text: TrainingText, tokenizer: Any, encoding: TextEncoding) -> tuple[list[int], list[bool]]:
    if encoding.template_args is not None:
        check_template(tokenizer)
    encoded = encode_answers(opening_of(text), [answer_of(text)], tokenizer, template_args=encoding.template_args)
    (target,) = encoded.continuations
    return [*encoded.context, *target], [False] * len(encoded.context) + [True] * len(target)


def _apart(text: TrainingText, tokenizer: Any, _: TextEncoding) -> tuple[list[int], list[bool]]:
    prompt = tokenizer.encode(text.prompt, add_special_tokens=False)
    target = tokenizer.encode(text.target, add_special_tokens=False)
    return [*prompt, *target], [False] * len(prompt) + [True] * len(target)


def _whole(text: TrainingText, tokenizer: Any, _: TextEncoding) -> tuple[list[int], list[bool]]:
    encoding = tokenizer(text.prompt + text.target, return_offsets_mapping=True)
    return list(encoding["input_ids"]), [end > len(text.prompt) for _, end in encoding["offset_mapping"]]


def opening_of(text: TrainingText) -> Opening:
    """What stands before the answer of a text."""
    return Opening(
        context=text.prompt,
        delimiter=text.delimiter if text.target.startswith(text.delimiter) else "",
        messages=text.messages,
        chat_delimiter=text.chat_delimiter,
        where=f"training text '{text.item_id}'",
    )


def answer_of(text: TrainingText) -> str:
    """The target without the delimiter that it begins with."""
    return text.target.removeprefix(text.delimiter)
