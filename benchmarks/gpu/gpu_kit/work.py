"""Questions of the paper's lengths: random words, one token each, so that tokens and text are the same thing."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from tokenizers import Tokenizer, models, pre_tokenizers, processors
from transformers import PreTrainedTokenizerFast

from donorgrid.core.records import Cell, Item
from donorgrid.score.encode import EncodedItem
from donorgrid.train.encode import EncodedText

N_LANGUAGES, N_ITEMS, N_TEXTS, N_SEEDS, N_EPOCHS = 11, 400, 300, 3, 3
"""The paper's grid: four tasks in so many languages, test items and training texts of each, seeds, epochs."""


@dataclass(frozen=True, kw_only=True)
class TaskLengths:
    """Mean lengths in tokens: the context, each option, the number of options; of a training text, and its target."""

    context: int
    option: int
    n_options: int
    text: int
    target: int | None = 1


# Chosen so that 44 targets of 400 items have 4.5 million tokens with each context read once, and a training of three
# epochs 135 thousand on average: what the paper's tasks have with tokenizers of these models. target None: all tokens.
TASKS = {
    "arc_challenge": TaskLengths(context=70, option=9, n_options=4, text=95),
    "global_mmlu": TaskLengths(context=185, option=1, n_options=4, text=190),
    "hellaswag": TaskLengths(context=125, option=42, n_options=4, text=290),
    "truthfulqa": TaskLengths(context=350, option=18, n_options=5, text=90, target=None),
}
_PREAMBLE = 300  # tokens that all contexts of TruthfulQA begin with
_FIRST_WORD = 3


@dataclass(frozen=True)
class TokenQuestion:
    """A question as tokens: the context and the options."""

    context: tuple[int, ...]
    options: tuple[tuple[int, ...], ...]


def questions(task: str, n: int, *, n_words: int, seed: int = 0, scale: float = 1.0) -> list[TokenQuestion]:
    """Questions of one task. Lengths vary by a third around their mean; ``scale`` shortens all of them."""
    lengths, rng = TASKS[task], np.random.default_rng([seed, list(TASKS).index(task)])
    shared = _words(rng, round(scale * _PREAMBLE), n_words) if task == "truthfulqa" else ()
    return [
        TokenQuestion(
            shared + _words(rng, _length(rng, scale * lengths.context - len(shared)), n_words),
            tuple(
                _words(rng, _length(rng, scale * lengths.option) if lengths.option > 1 else 1, n_words)
                for _ in range(lengths.n_options)
            ),
        )
        for _ in range(n)
    ]


def encoded_items(task: str, of: Sequence[TokenQuestion], *, first: tuple[int, ...] = ()) -> list[EncodedItem]:
    """Questions as donorgrid scores them; ``first`` is what a tokenizer puts before every text."""
    return [
        EncodedItem(
            item=Item(
                id=str(number),
                cell=Cell(task=task, language="und"),
                context=as_text(question.context),
                choices=tuple(map(as_text, question.options)),
                answer=0,
            ),
            context=first + question.context,
            continuations=question.options,
        )
        for number, question in enumerate(of)
    ]


def encoded_texts(task: str, n: int, *, n_words: int, seed: int = 0, scale: float = 1.0) -> tuple[EncodedText, ...]:
    """Training texts of one task."""
    lengths, rng = TASKS[task], np.random.default_rng([seed, 99, list(TASKS).index(task)])
    texts = []
    for _ in range(n):
        tokens = _words(rng, max(3, _length(rng, scale * lengths.text)), n_words)
        n_supervised = len(tokens) - 1 if lengths.target is None else lengths.target
        texts.append(EncodedText(tokens, (False,) * (len(tokens) - n_supervised) + (True,) * n_supervised))
    return tuple(texts)


def as_text(tokens: Sequence[int]) -> str:
    """Tokens as words."""
    return " ".join(f"w{token}" for token in tokens)


def word_tokenizer(n_words: int, *, adds_bos: bool) -> Any:
    """A tokenizer with one token for each word, and BOS before a text where the model's own tokenizer puts one."""
    names = ["<bos>", "<eos>", "<pad>"]
    words = {**{name: index for index, name in enumerate(names)}, **{f"w{i}": i for i in range(_FIRST_WORD, n_words)}}
    tokenizer = Tokenizer(models.WordLevel(words, unk_token="<pad>"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    if adds_bos:
        tokenizer.post_processor = processors.TemplateProcessing(single="<bos> $A", special_tokens=[("<bos>", 0)])
    special = {"eos_token": "<eos>", "pad_token": "<pad>", **({"bos_token": "<bos>"} if adds_bos else {})}
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, **special)


def _length(rng: np.random.Generator, mean: float) -> int:
    return max(1, round(mean * rng.uniform(0.67, 1.33)))


def _words(rng: np.random.Generator, n: int, n_words: int) -> tuple[int, ...]:
    return tuple(rng.integers(_FIRST_WORD, n_words, size=n).tolist())
