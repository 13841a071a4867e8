"""Training texts as tokens, with a mark on every token that the loss reads."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from donorgrid.core.errors import InputError
from donorgrid.core.records import TrainingText


@dataclass(frozen=True)
class EncodedText:
    """Token ids, and for each token whether the loss reads it. The first token has no context and is never read."""

    token_ids: tuple[int, ...]
    supervised: tuple[bool, ...]

    @property
    def n_supervised(self) -> int:
        """How many tokens the loss reads."""
        return sum(self.supervised)

    @cached_property
    def input_ids(self) -> tuple[int, ...]:
        """The tokens that the model must read: those before the last one that the loss reads."""
        return self.token_ids[: max(place for place, one in enumerate(self.supervised) if one)]


def encode_texts(texts: Iterable[TrainingText], tokenizer: Any) -> tuple[EncodedText, ...]:
    """Tokenise each text as it says. Raises InputError for a text that leaves the loss nothing to read."""
    return tuple(_encode(text, tokenizer) for text in texts)


def _encode(text: TrainingText, tokenizer: Any) -> EncodedText:
    ids, supervised = _apart(text, tokenizer) if text.tokenise == "apart" else _whole(text, tokenizer)
    if text.loss_on == "all":
        supervised = [True] * len(ids)
    if text.max_tokens is not None and len(ids) > text.max_tokens:
        kept = slice(-text.max_tokens, None) if text.keep == "end" else slice(text.max_tokens)
        ids, supervised = ids[kept], supervised[kept]
    supervised[:1] = [False] * len(supervised[:1])
    if not any(supervised):
        raise InputError(f"training text '{text.item_id}': no token is left for the loss to read")
    return EncodedText(tuple(ids), tuple(supervised))


def _apart(text: TrainingText, tokenizer: Any) -> tuple[list[int], list[bool]]:
    prompt = tokenizer.encode(text.prompt, add_special_tokens=False)
    target = tokenizer.encode(text.target, add_special_tokens=False)
    return [*prompt, *target], [False] * len(prompt) + [True] * len(target)


def _whole(text: TrainingText, tokenizer: Any) -> tuple[list[int], list[bool]]:
    coded = tokenizer(text.prompt + text.target, return_offsets_mapping=True)
    return list(coded["input_ids"]), [end > len(text.prompt) for _, end in coded["offset_mapping"]]
