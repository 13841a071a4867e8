"""The class of an item's gold answer: its label where items share labels, its position otherwise."""

from collections.abc import Hashable, Sequence

from donorgrid.core.records import Item, TrainingText

_MOST_FREE_ANSWERS = 10
"""Free answers, such as yes and no, are classes if no more of them occur."""


def gold_labels(records: Sequence[Item] | Sequence[TrainingText]) -> list[str] | None:
    """The gold answer of each item, without the text that all choices of the item have in common.

    Choices such as ``X, right? Yes, Y`` and ``X, right? No, Y`` differ in a label that all items share. The position of
    the gold choice counts for nothing here: a model that scores the texts of choices does not see it.

    Parameters
    ----------
    records : sequence of Item or TrainingText
        One split of a cell.

    Returns
    -------
    list of str or None
        None if the answer of an item is not known.
    """
    answers = [_answers(record) for record in records]
    return [_label(*choices) for choices in answers] if all(choices for choices, _ in answers) else None


def gold_strata(records: Sequence[Item] | Sequence[TrainingText]) -> list[Hashable]:
    """The stratum of each item in a stratified draw.

    Parameters
    ----------
    records : sequence of Item or TrainingText
        One split of a cell.

    Returns
    -------
    list of Hashable
        Labels if no more of them occur than an item has choices, else the positions of the gold choices.
    """
    labels = gold_labels(records)
    most = max((len(_answers(record)[0]) for record in records), default=0)
    if labels is not None and len(set(labels)) <= (most if most > 1 else _MOST_FREE_ANSWERS):
        return list(labels)
    return [record.answer for record in records]


def _answers(record: Item | TrainingText) -> tuple[tuple[str, ...], int]:
    """The choices of an item, or the answers that are accepted, and the index of the gold one."""
    if isinstance(record, Item):
        return record.choices, record.answer
    if record.alternatives:
        return record.alternatives, record.answer or 0
    return () if record.loss_on == "all" else (record.target,), 0


def _label(choices: Sequence[str], answer: int) -> str:
    gold = choices[answer]
    if len(set(choices)) < 2:
        return gold.strip()
    start = _n_common(choices)
    end = _n_common([choice[start:][::-1] for choice in choices])
    return gold[start : len(gold) - end].strip()


def _n_common(texts: Sequence[str]) -> int:
    """How many characters all texts begin with."""
    first, last = min(texts), max(texts)
    return next((index for index, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), len(first))
