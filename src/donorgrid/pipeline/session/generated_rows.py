"""Generated texts as rows of item answers."""

from collections.abc import Sequence

import polars as pl

from donorgrid.core.records import Item
from donorgrid.core.tables import ITEM_ANSWERS
from donorgrid.pipeline.session.records import IsRight


def generated_rows(items: Sequence[Item], texts: Sequence[str], is_right: IsRight | None = None) -> pl.DataFrame:
    """One row per item with the text that was generated for it.

    Parameters
    ----------
    items : sequence of Item
        The items; for generated answers ``choices`` holds the accepted ones.
    texts : sequence of str
        The text for each item.
    is_right : callable, optional
        Judges each text. None leaves ``correct`` null: the texts are judged later, so that the rules may change.

    Returns
    -------
    pl.DataFrame
        As ``ITEM_ANSWERS`` declares; the columns of scored options are null or empty.
    """
    rows = [_row(item, text, is_right) for item, text in zip(items, texts, strict=True)]
    return pl.DataFrame(rows, schema=ITEM_ANSWERS.columns)


def _row(item: Item, text: str, is_right: IsRight | None) -> dict[str, object]:
    return {
        "target_task": item.cell.task,
        "target_language": item.cell.language,
        "item_id": item.id,
        "answer": None,
        "choice_logliks_nats": [],
        "choice_lengths": [],
        "chosen": None,
        "correct": None if is_right is None else is_right(text, item.choices),
        "chosen_norm": None,
        "correct_norm": None,
        "generated": text,
    }
