"""Limits: fewer items of a task, drawn by a seed, the same in all its languages, in proportion to the gold answers."""

from collections.abc import Sequence
from typing import TypeVar

from donorgrid.core.gold_classes import gold_labels, gold_strata
from donorgrid.core.records import CellItems, Item, TrainingText
from donorgrid.statistics.degeneracy import one_class_reason
from donorgrid.statistics.item_draws import DRAW_SEED, draw_ids

Record = TypeVar("Record", Item, TrainingText)


def draw_items(
    languages: Sequence[Sequence[Record]], count: int | None, *, seed: int = DRAW_SEED
) -> list[tuple[Record, ...]]:
    """Draw test items or training texts of one task.

    Parameters
    ----------
    languages : sequence of sequence of Item or TrainingText
        One split of each language of the task.
    count : int or None
        At most so many per language; None keeps all.
    seed : int
        The seed of the draw.

    Returns
    -------
    list of tuple of Item or TrainingText
        One tuple per language, in the order of its file. IDs and shares of gold answers are those of ``draw_ids``.
    """
    if count is None or all(len(records) <= count for records in languages):
        return [tuple(records) for records in languages]
    strata = [dict(zip(map(_id, records), gold_strata(records), strict=True)) for records in languages]
    drawn = draw_ids(strata, count, seed=seed)
    return [
        tuple(record for record in records if _id(record) in kept)
        for records, kept in zip(languages, drawn, strict=True)
    ]


def one_class_reasons(items: CellItems) -> dict[str, str]:
    """By split: why it tells little, where its gold answers are nearly all of one class."""
    labels = {"train": gold_labels(items.train), "test": gold_labels(items.test)}
    reasons = {split: one_class_reason(known) for split, known in labels.items() if known is not None}
    return {split: reason for split, reason in reasons.items() if reason is not None}


def one_class_notes(items: CellItems) -> tuple[str, ...]:
    """Lines on the splits of a cell whose gold answers are nearly all of one class."""
    meaning = {"train": "training on it teaches one answer", "test": "it measures format, not skill"}
    return tuple(f"{split}: {reason}: {meaning[split]}" for split, reason in one_class_reasons(items).items())


def _id(record: Item | TrainingText) -> str:
    return record.id if isinstance(record, Item) else record.item_id
