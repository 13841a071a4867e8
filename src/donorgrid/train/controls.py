"""Control texts: what a source's format alone does, with its answers or its content taken away."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from donorgrid.core.errors import InputError
from donorgrid.core.records import TrainingText

PLACEHOLDER = "_"
_WORD = re.compile(r"[^\W_]+")


def shuffled(texts: Sequence[TrainingText], rng: np.random.Generator) -> tuple[TrainingText, ...]:
    """Permutes the answers among items with equally many choices, so that the answers keep their frequencies.

    Parameters
    ----------
    texts
        Training texts of multiple-choice items.
    rng
        The generator of the permutation.

    Returns
    -------
    tuple of TrainingText
        The same texts in the same order, with other answers and targets.

    Raises
    ------
    InputError
        A text has no choices.
    """
    permuted = list(texts)
    by_n_choices: dict[int, list[int]] = {}
    for index, text in enumerate(texts):
        _check_choices(text)
        by_n_choices.setdefault(len(text.alternatives), []).append(index)
    for indices in by_n_choices.values():
        for index, source_index in zip(indices, rng.permutation(indices), strict=True):
            answer = texts[source_index].answer or 0
            permuted[index] = replace(texts[index], answer=answer, target=texts[index].alternatives[answer])
    return tuple(permuted)


def content_free(texts: Sequence[TrainingText], rng: np.random.Generator) -> tuple[TrainingText, ...]:
    """Keeps the format and the lengths of texts and takes away what could be learned.

    A word of the prompt or its messages that does not occur in every prompt becomes as many placeholders as it has
    characters. The answer is drawn at random among the item's choices. In scripts without spaces, a word is a whole run
    of characters.

    Parameters
    ----------
    texts
        Training texts of multiple-choice items.
    rng
        The generator of the answers.

    Returns
    -------
    tuple of TrainingText
        The changed texts, in the order of ``texts``.

    Raises
    ------
    InputError
        A text has no choices.
    """
    counts = Counter(word for text in texts for word in set(_WORD.findall(text.prompt)))
    format_words = {word for word, count in counts.items() if count == len(texts)}
    emptied = []
    for text in texts:
        _check_choices(text)
        answer = int(rng.integers(len(text.alternatives)))
        messages = tuple((role, _mask(content, format_words)) for role, content in text.messages)
        target = text.alternatives[answer]
        emptied.append(
            replace(text, prompt=_mask(text.prompt, format_words), messages=messages, answer=answer, target=target)
        )
    return tuple(emptied)


def _mask(text: str, format_words: set[str]) -> str:
    return _WORD.sub(lambda match: match[0] if match[0] in format_words else PLACEHOLDER * len(match[0]), text)


def _check_choices(text: TrainingText) -> None:
    if text.answer is None:
        raise InputError(f"text '{text.item_id}' has no choices: it cannot serve as a control")
