"""Which training texts a run sees: draws, mixes, controls, and the validation split."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from donorgrid.core.errors import InputError
from donorgrid.core.records import Cell, Run, TrainingText
from donorgrid.train.controls import content_free, shuffled


@dataclass(frozen=True, kw_only=True)
class Split:
    """The texts that are trained on and those that choose the best epoch."""

    train: tuple[TrainingText, ...]
    validation: tuple[TrainingText, ...]


def select_texts(run: Run, texts_of: Mapping[Cell, Sequence[TrainingText]]) -> tuple[TrainingText, ...]:
    """The texts of a run's source, before the validation split.

    A cell gives its first ``train_size`` texts in the order that ``data_seed`` draws (all of them, in their own order,
    without ``train_size``). A mix has as many texts as its parts have on average, shared by weight. A control changes
    its cell's texts (``train.controls``). Raises InputError when a part has too few texts.
    """
    source = run.source
    total = run.train_size or round(sum(len(texts_of[cell]) for cell in source.cells) / len(source.cells))
    wanted = _by_weight(total, [weight for _, weight in source.parts])
    chosen: list[TrainingText] = []
    for part, (cell, count) in enumerate(zip(source.cells, wanted, strict=True)):
        texts = texts_of[cell]
        if count > len(texts):
            raise InputError(f"source '{source}': {count} training texts of '{cell}' are wanted, it has {len(texts)}")
        chosen += _draw(texts, count, np.random.default_rng([run.data_seed, part]))
    if source.control is None:
        return tuple(chosen)
    change = {"shuffled": shuffled, "content-free": content_free}[source.control]
    return change(chosen, np.random.default_rng([run.data_seed, run.train_seed]))


def split_texts(texts: Sequence[TrainingText], *, split_seed: int, validation_share: float) -> Split:
    """The first ceil(share x n) of a permutation validate, the rest trains (what ``datasets`` does).

    Raises InputError when nothing would be left to train on.
    """
    order = np.random.default_rng(split_seed).permutation(len(texts))
    n_validation = math.ceil(validation_share * len(texts))
    if n_validation >= len(texts):
        raise InputError(f"{len(texts)} training texts: too few to keep a share of {validation_share} for validation")
    return Split(
        train=tuple(texts[index] for index in order[n_validation:]),
        validation=tuple(texts[index] for index in order[:n_validation]),
    )


def _draw(texts: Sequence[TrainingText], count: int, rng: np.random.Generator) -> list[TrainingText]:
    if count == len(texts):
        return list(texts)
    return [texts[index] for index in rng.permutation(len(texts))[:count]]


def _by_weight(total: int, weights: Sequence[float]) -> list[int]:
    """Whole numbers that sum to ``total``, by largest remainder; the earlier part wins a tie."""
    exact = [total * weight for weight in weights]
    counts = [math.floor(value) for value in exact]
    order = sorted(range(len(weights)), key=lambda part: counts[part] - exact[part])
    for part in order[: total - sum(counts)]:
        counts[part] += 1
    return counts
