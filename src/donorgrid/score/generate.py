"""Greedy generation by the rule of lm-eval (0.4.13), so that generated answers can be compared with its.

The context is encoded as lm-eval encodes it and keeps its end; decoding is greedy under the model's own generation
settings (a repetition penalty stays); the text ends before the first stop string or end-of-text token.
"""

import copy
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from transformers import GenerationConfig, StoppingCriteria, StoppingCriteriaList

from donorgrid.core.errors import InputError
from donorgrid.score.encode import prefix_token

_TOKENS_PER_BATCH = 4096
_LOOK_BACK = 2
"""Further tokens in which a stop string is looked for: it may be written in other tokens than its own."""


@dataclass(frozen=True)
class _Context:
    token_ids: tuple[int, ...]
    place: int


def generate_texts(
    network: Any, tokenizer: Any, contexts: Sequence[str], *, until: Sequence[str], max_new_tokens: int, max_length: int
) -> list[str]:
    """The generated text after each context, in their order.

    ``until`` are the stop strings, of which nothing is kept; ``max_length`` is the model's longest input in tokens,
    from which ``max_new_tokens`` are set aside. Raises InputError when nothing is left for the context.
    """
    room = max_length - max_new_tokens
    if room <= 0:
        raise InputError(
            f"max_gen_toks is {max_new_tokens}, but the model reads {max_length} tokens in all; allowed: fewer"
        )
    encoded = [_Context(tuple(_encode(text, tokenizer)[-room:]), place) for place, text in enumerate(contexts)]
    ordered = sorted(encoded, key=lambda one: (-len(one.token_ids), one.place))
    texts = [""] * len(encoded)
    end = tokenizer.decode([tokenizer.eos_token_id], skip_special_tokens=False)
    stops = tuple(dict.fromkeys([*until, end]))
    for batch in _batches(ordered, max_new_tokens):
        made = _generate(network, tokenizer, batch, stops, max_new_tokens)
        for one, ids in zip(batch, made, strict=True):
            texts[one.place] = _text(ids, tokenizer, stops)
    return texts


def _encode(text: str, tokenizer: Any) -> list[int]:
    """With the tokenizer's default special tokens, or none when the text begins with its BOS; never empty."""
    begins = tokenizer.bos_token is not None and text.startswith(tokenizer.bos_token)
    ids: list[int] = tokenizer.encode(text, add_special_tokens=False) if begins else tokenizer.encode(text)
    return ids or [prefix_token(tokenizer)]


def _batches(ordered: Sequence[_Context], max_new_tokens: int) -> Iterator[list[_Context]]:
    """Longest first, so that the first batch is the one that needs most memory."""
    batch: list[_Context] = []
    for one in ordered:
        if batch and (len(batch) + 1) * (len(batch[0].token_ids) + max_new_tokens) > _TOKENS_PER_BATCH:
            yield batch
            batch = []
        batch.append(one)
    if batch:
        yield batch


def _generate(
    network: Any, tokenizer: Any, batch: Sequence[_Context], stops: tuple[str, ...], max_new_tokens: int
) -> list[list[int]]:
    device = network.get_input_embeddings().weight.device
    longest = len(batch[0].token_ids)
    ids = torch.full((len(batch), longest), _padding(tokenizer), dtype=torch.long)
    mask = torch.zeros(len(batch), longest, dtype=torch.long)
    for row, one in enumerate(batch):
        ids[row, longest - len(one.token_ids) :] = torch.tensor(one.token_ids)
        mask[row, longest - len(one.token_ids) :] = 1
    settings = _greedy(network, tokenizer, max_new_tokens)
    with torch.inference_mode():
        made = network.generate(
            input_ids=ids.to(device),
            attention_mask=mask.to(device),
            generation_config=settings,
            stopping_criteria=StoppingCriteriaList([_Stops(tokenizer, stops, longest)]),
        )
    return [list(row) for row in made[:, longest:].tolist()]


def _greedy(network: Any, tokenizer: Any, max_new_tokens: int) -> GenerationConfig:
    settings = copy.deepcopy(network.generation_config)
    settings.update(
        do_sample=False,
        temperature=None,
        top_p=None,
        top_k=None,
        max_new_tokens=max_new_tokens,
        max_length=None,
        pad_token_id=_padding(tokenizer),
        use_cache=True,
    )
    return settings


def _padding(tokenizer: Any) -> int:
    token: int = tokenizer.eos_token_id if tokenizer.pad_token_id is None else tokenizer.pad_token_id
    return token


def _text(ids: list[int], tokenizer: Any, stops: Sequence[str]) -> str:
    # End-of-text tokens, and the padding of a row that ended before its batch, are special: they leave no text.
    text: str = tokenizer.decode(ids, skip_special_tokens=True)
    for stop in stops:
        if stop:
            text = text.split(stop, 1)[0]
    return text


class _Stops(StoppingCriteria):  # type: ignore[misc]
    """Says per row whether a stop string stands in the last tokens that were made."""

    def __init__(self, tokenizer: Any, stops: Sequence[str], start: int) -> None:
        self._tokenizer, self._start = tokenizer, start
        lengths = {stop: len(tokenizer.encode(stop, add_special_tokens=False)) for stop in stops if stop}
        self._windows = {stop: length + _LOOK_BACK for stop, length in lengths.items()}

    def __call__(self, input_ids: Tensor, *_: Any, **__: Any) -> Tensor:
        made = input_ids[:, self._start :].tolist()
        done = [any(stop in self._tokenizer.decode(row[-n:]) for stop, n in self._windows.items()) for row in made]
        return torch.tensor(done, device=input_ids.device)
