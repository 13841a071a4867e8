"""From scored options to item answers."""

from collections.abc import Sequence

import polars as pl

from donorgrid.core.errors import RunFailure
from donorgrid.core.tables import ITEM_ANSWERS
from donorgrid.score.choose import choose, choose_norm
from donorgrid.score.encode import EncodedItem


def item_answers(items: Sequence[EncodedItem], logliks: Sequence[Sequence[float]], *, norm: bool) -> pl.DataFrame:
    """One row per item, as ``ITEM_ANSWERS`` declares. RunFailure when a log-likelihood is not finite.

    ``norm`` says whether the task has ``acc_norm``; without it the two columns of that choice are null.
    """
    rows = [_answer(item, nats, norm) for item, nats in zip(items, logliks, strict=True)]
    return pl.DataFrame(rows, schema=ITEM_ANSWERS.columns)


def _answer(encoded: EncodedItem, nats: Sequence[float], norm: bool) -> dict[str, object]:
    item = encoded.item
    if not all(abs(one) < float("inf") for one in nats):
        raise RunFailure(f"item '{item.id}' of '{item.cell}': log-likelihoods {list(nats)} are not finite")
    lengths = [len(choice) for choice in item.choices]
    chosen = choose(nats)
    chosen_norm = choose_norm(nats, lengths) if norm else None
    return {
        "target_task": item.cell.task,
        "target_language": item.cell.language,
        "item_id": item.id,
        "answer": item.answer,
        "choice_logliks_nats": list(nats),
        "choice_lengths": lengths,
        "chosen": chosen,
        "correct": chosen == item.answer,
        "chosen_norm": chosen_norm,
        "correct_norm": chosen_norm == item.answer if norm else None,
        "generated": None,
    }
