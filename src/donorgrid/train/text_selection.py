"""Which training texts a run uses: draws, mixes, controls, and the validation split."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from donorgrid.core.errors import InputError
from donorgrid.core.gold_classes import gold_strata
from donorgrid.core.records import Cell, Run, TrainingText
from donorgrid.statistics.item_draws import largest_remainder, stratified_order
from donorgrid.train.controls import content_free, shuffled


@dataclass(frozen=True, kw_only=True)
class TextSplit:
    """The texts that are trained on, and those that choose the best epoch."""

    train: tuple[TrainingText, ...]
    validation: tuple[TrainingText, ...]


def select_texts(run: Run, texts_of: Mapping[Cell, Sequence[TrainingText]]) -> tuple[TrainingText, ...]:
    """The texts of a run's source, before the validation split.

    A cell gives its first ``train_size`` texts in an order drawn by ``data_seed``, in which gold answers are in
    proportion to all texts (without ``train_size``: all texts, as they are). A mix has as many texts as its parts have
    on average, divided by weight. A control changes the texts of its cell (``train.controls``).

    Parameters
    ----------
    run
        Its source, ``train_size``, ``data_seed`` and (for controls) ``train_seed`` decide.
    texts_of
        All training texts of the source's cells.

    Returns
    -------
    tuple of TrainingText
        Part by part, in the order of the source's parts.

    Raises
    ------
    InputError
        A part has too few texts.
    """
    source = run.source
    total = run.train_size or round(sum(len(texts_of[cell]) for cell in source.cells) / len(source.cells))
    counts = largest_remainder(total, [weight for _, weight in source.parts])
    selected: list[TrainingText] = []
    for part, (cell, count) in enumerate(zip(source.cells, counts, strict=True)):
        texts = texts_of[cell]
        if count > len(texts):
            raise InputError(f"source '{source}': {count} training texts of '{cell}' are wanted, it has {len(texts)}")
        selected += _draw(texts, count, seed=f"{run.data_seed}/{part}")
    if source.control is None:
        return tuple(selected)
    change = {"shuffled": shuffled, "content-free": content_free}[source.control]
    return change(selected, np.random.default_rng([run.data_seed, run.train_seed]))


def split_texts(texts: Sequence[TrainingText], *, split_seed: int, validation_share: float) -> TextSplit:
    """Splits texts as ``datasets.Dataset.train_test_split`` does: the first part of a permutation validates.

    Parameters
    ----------
    texts
        The texts of one run.
    split_seed
        The seed of the permutation.
    validation_share
        The share that validates, from 0 up to less than 1; the count is rounded up.

    Returns
    -------
    TextSplit
        Both parts in the order of the permutation.

    Raises
    ------
    InputError
        Nothing would be left to train on.
    """
    order = np.random.default_rng(split_seed).permutation(len(texts))
    n_validation = math.ceil(validation_share * len(texts))
    if n_validation >= len(texts):
        raise InputError(f"{len(texts)} training texts: too few to keep a share of {validation_share} for validation")
    return TextSplit(
        train=tuple(texts[index] for index in order[n_validation:]),
        validation=tuple(texts[index] for index in order[:n_validation]),
    )


def _draw(texts: Sequence[TrainingText], count: int, *, seed: str) -> list[TrainingText]:
    if count == len(texts):
        return list(texts)
    by_id = {text.item_id: text for text in texts}
    order = stratified_order(dict(zip(by_id, gold_strata(texts), strict=True)), seed=seed)
    return [by_id[item_id] for item_id in order[:count]]
