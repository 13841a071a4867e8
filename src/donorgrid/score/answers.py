"""Item answers from scored options."""

from collections.abc import Sequence

import polars as pl

from donorgrid.core.errors import RunFailure
from donorgrid.core.records import Precision
from donorgrid.core.tables import ITEM_ANSWERS
from donorgrid.score.choose import choose, choose_norm
from donorgrid.score.encode import EncodedItem


def item_answers(
    items: Sequence[EncodedItem],
    logliks: Sequence[Sequence[float]],
    *,
    norm: bool,
    precisions: Sequence[Precision] | None = None,
) -> pl.DataFrame:
    """The item answers of one target: the log-likelihoods, the chosen option, and whether it is correct.

    Parameters
    ----------
    items
        The items that were scored.
    logliks
        For each item, the log-likelihood of each option, in nats.
    norm
        Whether the task has ``acc_norm``; without it the two columns of that choice are null.
    precisions
        For each item, the precision of its log-likelihoods; None leaves the column null.

    Returns
    -------
    polars.DataFrame
        One row per item, with the columns of ``core.tables.ITEM_ANSWERS``.

    Raises
    ------
    RunFailure
        A log-likelihood is not finite.
    """
    known: Sequence[Precision | None] = [None] * len(items) if precisions is None else precisions
    rows = [
        _answer(item, nats, norm) | {"loglik_precision": precision}
        for item, nats, precision in zip(items, logliks, known, strict=True)
    ]
    return pl.DataFrame(rows, schema=ITEM_ANSWERS.columns)


def _answer(encoded: EncodedItem, logliks: Sequence[float], norm: bool) -> dict[str, object]:
    item = encoded.item
    if not all(abs(loglik) < float("inf") for loglik in logliks):
        raise RunFailure(f"item '{item.id}' of '{item.cell}': log-likelihoods {list(logliks)} are not finite")
    lengths = [len(choice) for choice in item.choices]
    chosen = choose(logliks)
    chosen_norm = choose_norm(logliks, lengths) if norm else None
    return {
        "target_task": item.cell.task,
        "target_language": item.cell.language,
        "item_id": item.id,
        "answer": item.answer,
        "choice_logliks_nats": list(logliks),
        "choice_lengths": lengths,
        "chosen": chosen,
        "correct": chosen == item.answer,
        "chosen_norm": chosen_norm,
        "correct_norm": chosen_norm == item.answer if norm else None,
        "generated": None,
    }
