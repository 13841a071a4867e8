"""Control texts: what a source's format alone does, with its answers or its content taken away."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from donorgrid.core.errors import InputError
from donorgrid.core.records import TrainingText

FILLER = "_"
_WORD = re.compile(r"[^\W_]+")


def shuffled(texts: Sequence[TrainingText], rng: np.random.Generator) -> tuple[TrainingText, ...]:
    """Deal the answers out anew among items with equally many choices, so that their frequencies stay.

    Raises InputError for a text without choices.
    """
    dealt = list(texts)
    by_choices: dict[int, list[int]] = {}
    for index, text in enumerate(texts):
        _check_choices(text)
        by_choices.setdefault(len(text.alternatives), []).append(index)
    for indices in by_choices.values():
        for index, giver in zip(indices, rng.permutation(indices), strict=True):
            answer = texts[giver].answer or 0
            dealt[index] = replace(texts[index], answer=answer, target=texts[index].alternatives[answer])
    return tuple(dealt)


def content_free(texts: Sequence[TrainingText], rng: np.random.Generator) -> tuple[TrainingText, ...]:
    """Keep the format and the lengths, and nothing to learn from: a word of the prompt that does not stand in every
    text becomes as many fillers as it has characters, and the answer is drawn at random among the item's own choices.

    In scripts without spaces a word is a whole run of characters. Raises InputError for a text without choices.
    """
    holders = Counter(word for text in texts for word in set(_WORD.findall(text.prompt)))
    format_words = {word for word, count in holders.items() if count == len(texts)}
    emptied = []
    for text in texts:
        _check_choices(text)
        answer = int(rng.integers(len(text.alternatives)))
        prompt = _WORD.sub(lambda found: _kept_or_filled(found[0], format_words), text.prompt)
        emptied.append(replace(text, prompt=prompt, answer=answer, target=text.alternatives[answer]))
    return tuple(emptied)


def _kept_or_filled(word: str, format_words: set[str]) -> str:
    return word if word in format_words else FILLER * len(word)


def _check_choices(text: TrainingText) -> None:
    if text.answer is None:
        raise InputError(f"text '{text.item_id}' has no choices: it cannot serve as a control")
