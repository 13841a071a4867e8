"""Greedy generation by the rule of lm-eval (0.4.13), so that generated answers can be compared with its answers.

The context is tokenized as lm-eval does and keeps its end. Decoding is greedy under the model's own generation settings
(a repetition penalty stays). The text ends before the first stop string or end-of-text token.
"""

import copy
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from transformers import GenerationConfig, StoppingCriteria, StoppingCriteriaList

from donorgrid.core.errors import InputError
from donorgrid.core.work_reports import report_share
from donorgrid.score.encode import encode_context

_TOKENS_PER_BATCH = 4096
_FURTHER_TOKENS = 2
"""A stop string is looked for in this many tokens more than it has: the model may write it in other tokens."""


@dataclass(frozen=True)
class _Context:
    """The tokens of a context, and its index among the contexts."""

    token_ids: tuple[int, ...]
    index: int


def generate_texts(
    network: Any, tokenizer: Any, contexts: Sequence[str], *, until: Sequence[str], max_new_tokens: int, max_length: int
) -> list[str]:
    """The generated text after each context.

    Parameters
    ----------
    network
        A transformers causal language model.
    tokenizer
        Its tokenizer.
    contexts
        Texts to go on from.
    until
        Stop strings; the text ends before the first of them.
    max_new_tokens
        The most tokens that are generated.
    max_length
        The model's longest input in tokens. ``max_new_tokens`` of them are set aside; longer contexts lose their
        beginning.

    Returns
    -------
    list of str
        In the order of ``contexts``.

    Raises
    ------
    InputError
        No token is left for the context.
    """
    max_context = max_length - max_new_tokens
    if max_context <= 0:
        raise InputError(
            f"max_gen_toks is {max_new_tokens}, but the model reads {max_length} tokens in all; allowed: fewer"
        )
    encoded = [
        _Context(tuple(encode_context(text, tokenizer)[-max_context:]), index) for index, text in enumerate(contexts)
    ]
    ordered = sorted(encoded, key=lambda context: (-len(context.token_ids), context.index))
    texts = [""] * len(encoded)
    end_of_text = tokenizer.decode([tokenizer.eos_token_id], skip_special_tokens=False)
    stops = tuple(dict.fromkeys([*until, end_of_text]))
    n_done = 0
    for batch in _batches(ordered, max_new_tokens):
        generated = _generate(network, tokenizer, batch, stops, max_new_tokens)
        for context, token_ids in zip(batch, generated, strict=True):
            texts[context.index] = _decode(token_ids, tokenizer, stops)
        n_done += len(batch)
        report_share(n_done / len(ordered))
    return texts


def _batches(ordered: Sequence[_Context], max_new_tokens: int) -> Iterator[list[_Context]]:
    """Batches, longest contexts first, so that the first batch needs most memory."""
    batch: list[_Context] = []
    for context in ordered:
        if batch and (len(batch) + 1) * (len(batch[0].token_ids) + max_new_tokens) > _TOKENS_PER_BATCH:
            yield batch
            batch = []
        batch.append(context)
    if batch:
        yield batch


def _generate(
    network: Any, tokenizer: Any, batch: Sequence[_Context], stops: tuple[str, ...], max_new_tokens: int
) -> list[list[int]]:
    """The new tokens of each context, which is padded on the left."""
    device = network.get_input_embeddings().weight.device
    length = len(batch[0].token_ids)
    input_ids = torch.full((len(batch), length), _padding_token(tokenizer), dtype=torch.long)
    attention_mask = torch.zeros(len(batch), length, dtype=torch.long)
    for row, context in enumerate(batch):
        start = length - len(context.token_ids)
        input_ids[row, start:] = torch.tensor(context.token_ids)
        attention_mask[row, start:] = 1
    with torch.inference_mode():
        output_ids = network.generate(
            input_ids=input_ids.to(device),
            attention_mask=attention_mask.to(device),
            generation_config=_greedy_config(network, tokenizer, max_new_tokens),
            stopping_criteria=StoppingCriteriaList([_StopStrings(tokenizer, stops, length)]),
        )
    return [list(row) for row in output_ids[:, length:].tolist()]


def _greedy_config(network: Any, tokenizer: Any, max_new_tokens: int) -> GenerationConfig:
    config = copy.deepcopy(network.generation_config)
    config.update(
        do_sample=False,
        temperature=None,
        top_p=None,
        top_k=None,
        max_new_tokens=max_new_tokens,
        max_length=None,
        pad_token_id=_padding_token(tokenizer),
        use_cache=True,
    )
    return config


def _padding_token(tokenizer: Any) -> int:
    token: int = tokenizer.eos_token_id if tokenizer.pad_token_id is None else tokenizer.pad_token_id
    return token


def _decode(token_ids: list[int], tokenizer: Any, stops: Sequence[str]) -> str:
    # End-of-text tokens, and the padding of a row that ended before its batch, are special: they leave no text.
    text: str = tokenizer.decode(token_ids, skip_special_tokens=True)
    for stop in stops:
        if stop:
            text = text.split(stop, 1)[0]
    return text


class _StopStrings(StoppingCriteria):  # type: ignore[misc]
    """For each row, whether a stop string occurs in the last tokens that were generated."""

    def __init__(self, tokenizer: Any, stops: Sequence[str], start: int) -> None:
        self._tokenizer, self._start = tokenizer, start
        lengths = {stop: len(tokenizer.encode(stop, add_special_tokens=False)) for stop in stops if stop}
        self._n_last = {stop: length + _FURTHER_TOKENS for stop, length in lengths.items()}

    def __call__(self, input_ids: Tensor, *_: Any, **__: Any) -> Tensor:
        rows = input_ids[:, self._start :].tolist()
        is_done = [any(stop in self._tokenizer.decode(row[-n:]) for stop, n in self._n_last.items()) for row in rows]
        return torch.tensor(is_done, device=input_ids.device)
