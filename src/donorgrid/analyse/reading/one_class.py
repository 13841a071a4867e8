"""Targets of imported answers whose right answers are nearly all one label: the texts of choices are not at hand."""

import polars as pl

from donorgrid.statistics.degeneracy import one_class_reason

_FEWEST_ITEMS = 10
_TARGET = ["target_task", "target_language"]


def one_class_targets(baseline: pl.DataFrame) -> dict[str, str]:
    """The targets whose right answers are nearly all one label.

    Items share their labels where the choices of all items have the same lengths. Where lengths differ, every item has
    choices of its own, and the position of the right one says nothing.

    Parameters
    ----------
    baseline : DataFrame
        The item answers of one base model, as ``ITEM_ANSWERS`` declares.

    Returns
    -------
    dict of str to str
        By ``task/language``: the reason in words.
    """
    reasons = {}
    for (task, language), part in baseline.group_by(_TARGET, maintain_order=True):
        gold = part["answer"].drop_nulls()
        shared = part["choice_lengths"].hash().n_unique() == 1 and part["choice_lengths"].list.len().min() != 0
        if shared and gold.len() >= _FEWEST_ITEMS:
            reason = one_class_reason([f"choice {index + 1}" for index in gold.to_list()])
            if reason is not None:
                reasons[f"{task}/{language}"] = reason
    return reasons
