"""Training texts as tokens, with a mark on every token that the loss covers."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from donorgrid.core.errors import InputError
from donorgrid.core.records import TrainingText


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
    """

    token_ids: tuple[int, ...]
    supervised: tuple[bool, ...]

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


def encode_texts(texts: Iterable[TrainingText], tokenizer: Any) -> tuple[EncodedText, ...]:
    """Tokenizes training texts, each by its own settings.

    Parameters
    ----------
    texts
        Texts with their rules: whether prompt and target are tokenized apart, what the loss covers, where long texts
        are cut.
    tokenizer
        A transformers tokenizer.

    Returns
    -------
    tuple of EncodedText
        In the order of ``texts``.

    Raises
    ------
    InputError
        A text has no token left for the loss.
    """
    return tuple(_encode(text, tokenizer) for text in texts)


def _encode(text: TrainingText, tokenizer: Any) -> EncodedText:
    token_ids, supervised = _parts(text, tokenizer) if text.tokenise == "apart" else _whole(text, tokenizer)
    if text.loss_on == "all":
        supervised = [True] * len(token_ids)
    if text.max_tokens is not None and len(token_ids) > text.max_tokens:
        kept = slice(-text.max_tokens, None) if text.keep == "end" else slice(text.max_tokens)
        token_ids, supervised = token_ids[kept], supervised[kept]
    supervised[:1] = [False] * len(supervised[:1])
    if not any(supervised):
        raise InputError(f"training text '{text.item_id}': no token is left for the loss")
    return EncodedText(tuple(token_ids), tuple(supervised))


def _parts(text: TrainingText, tokenizer: Any) -> tuple[list[int], list[bool]]:
    prompt = tokenizer.encode(text.prompt, add_special_tokens=False)
    target = tokenizer.encode(text.target, add_special_tokens=False)
    return [*prompt, *target], [False] * len(prompt) + [True] * len(target)


def _whole(text: TrainingText, tokenizer: Any) -> tuple[list[int], list[bool]]:
    encoding = tokenizer(text.prompt + text.target, return_offsets_mapping=True)
    return list(encoding["input_ids"]), [end > len(text.prompt) for _, end in encoding["offset_mapping"]]
