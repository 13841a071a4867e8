"""Reads a samples file of lm-eval as item answers. Log-likelihoods are text there, with all digits."""

import math
from collections import Counter
from collections.abc import Sequence
from typing import Any

import polars as pl

from donorgrid.core.errors import InputError, suggestion
from donorgrid.core.records import Cell
from donorgrid.core.tables import ITEM_ANSWERS
from donorgrid.exchange.lm_eval.files import TaskOutput
from donorgrid.exchange.lm_eval.samples import read_sample_rows

PAIR, PROMPT = "pair", "prompt_hash"
RIGHT_METRICS = ("acc", "exact_match")
"""The lm-eval metrics that are 0 or 1 for every item."""

_SCHEMA = {**ITEM_ANSWERS.columns, PAIR: pl.String, PROMPT: pl.String}


def answers_in(output: TaskOutput, cell: Cell, *, filter_name: str | None, id_field: str | None) -> pl.DataFrame:
    """Reads the item answers in a task's samples.

    Parameters
    ----------
    output : TaskOutput
        The task, with its samples file.
    cell : Cell
        The target that the task is.
    filter_name : str, optional
        Which of lm-eval's filters counts; None if there is only one.
    id_field : str, optional
        The document's field with an ID that is the same in every language; without it the pair is the ID.

    Returns
    -------
    DataFrame
        ITEM_ANSWERS, with the columns ``pair`` (document hash and occurrence) and ``prompt_hash``.

    Raises
    ------
    InputError
        If samples are missing, an answer is neither right nor wrong, or IDs repeat.
    """
    where = str(output.samples)
    if output.samples is None:
        raise InputError(f"{output.file}: task '{output.name}': no samples were logged; run lm_eval with --log_samples")
    rows = _of_filter(read_sample_rows(output.samples), filter_name, where)
    pairs = _pairs(rows)
    ids = pairs if id_field is None else [_id(row, id_field, where) for row in rows]
    doubles = [name for name, count in Counter(ids).items() if count > 1]
    if doubles:
        raise InputError(
            f"{where}: id_field '{id_field}': {len(doubles)} IDs stand there twice, such as '{doubles[0]}'"
        )
    answers = _choices(rows, output.delimiter, where) if _is_choice(rows[0]) else _generated(rows, where)
    answers_by_item = [
        {
            "target_task": cell.task,
            "target_language": cell.language,
            "item_id": item_id,
            "loglik_precision": None,  # lm-eval's samples do not say it
            PAIR: pair,
            PROMPT: str(row["prompt_hash"]),
            **answer,
        }
        for row, item_id, pair, answer in zip(rows, ids, pairs, answers, strict=True)
    ]
    # Column by column: from rows, Polars would build every list as a Series of its own.
    return pl.DataFrame({name: [answer[name] for answer in answers_by_item] for name in _SCHEMA}, schema=_SCHEMA)


def _of_filter(rows: list[dict[str, Any]], wanted: str | None, where: str) -> list[dict[str, Any]]:
    there = list(dict.fromkeys(str(row["filter"]) for row in rows))
    if wanted is None and len(there) > 1:
        raise InputError(f"{where}: answers of several filters {there}; name one in the mapping's key 'filter'")
    name = there[0] if wanted is None else wanted
    if name not in there:
        raise InputError(f"{where}: has no filter '{name}'; it has {there}{suggestion(name, there)}")
    return [row for row in rows if row["filter"] == name]


def _pairs(rows: Sequence[dict[str, Any]]) -> list[str]:
    """Returns the document hash with a running number, which tells equal documents apart."""
    occurrences: Counter[str] = Counter()
    pairs = []
    for row in rows:
        pairs.append(f"{row['doc_hash']}#{occurrences[row['doc_hash']]}")
        occurrences[row["doc_hash"]] += 1
    return pairs


def _id(row: dict[str, Any], field: str, where: str) -> str:
    document = row["doc"]
    if not isinstance(document, dict) or document.get(field) in (None, ""):
        there = list(document) if isinstance(document, dict) else []
        raise InputError(f"{where}: id_field '{field}' is missing; a document has {there}{suggestion(field, there)}")
    return str(document[field])


def _is_choice(row: dict[str, Any]) -> bool:
    answers = row["filtered_resps"]
    return isinstance(answers, list) and len(answers) > 1 and all(isinstance(answer, list) for answer in answers)


def _right(row: dict[str, Any], metrics: Sequence[str], where: str) -> bool:
    metric = next((metric for metric in metrics if metric in row), None)
    if metric is None:
        raise InputError(f"{where}: its items have none of the metrics {', '.join(metrics)}, right or wrong")
    value = row[metric]
    if value not in (0, 1):
        raise InputError(
            f"{where}: '{metric}' of an item is {value}; expected 0 or 1: only right or wrong can be paired"
        )
    return bool(value)


def _choices(rows: Sequence[dict[str, Any]], delimiter: str, where: str) -> list[dict[str, object]]:
    texts = [_choice_texts(row, delimiter, where) for row in rows]
    nats = [_nats(row, where) for row in rows]
    right = [_right(row, ("acc",), where) for row in rows]
    chosen = [_largest(logliks) for logliks in nats]
    gold = _gold(rows, texts, chosen, right)
    answers: list[dict[str, object]] = []
    for row, choices, logliks, index, answer, is_right in zip(rows, texts, nats, chosen, gold, right, strict=True):
        lengths = [len(choice) for choice in choices]
        norm = _right(row, ("acc_norm",), where) if "acc_norm" in row else None
        answers.append(
            {
                "answer": answer,
                "choice_logliks_nats": logliks,
                "choice_lengths": lengths,
                "chosen": index,
                "correct": is_right,
                "chosen_norm": None
                if norm is None
                else _largest([nats / max(n, 1) for nats, n in zip(logliks, lengths, strict=True)]),
                "correct_norm": norm,
                "generated": None,
            }
        )
    return answers


def _choice_texts(row: dict[str, Any], delimiter: str, where: str) -> list[str]:
    arguments, n_options = row.get("arguments"), len(row["filtered_resps"])
    requests = list(arguments.values()) if isinstance(arguments, dict) else []
    texts = [request.get("arg_1") for request in requests if isinstance(request, dict)][:n_options]
    if len(texts) < n_options or not all(isinstance(text, str) for text in texts):
        raise InputError(f"{where}: 'arguments' of an item do not name its {n_options} options")
    return [str(text).removeprefix(delimiter) for text in texts]


def _nats(row: dict[str, Any], where: str) -> list[float]:
    try:
        values = [float(answer[0]) for answer in row["filtered_resps"]]
    except (TypeError, ValueError, LookupError, OverflowError) as error:
        raise InputError(f"{where}: 'filtered_resps' of an item are no log-likelihoods ({error})") from error
    if any(math.isnan(value) for value in values):
        raise InputError(f"{where}: a log-likelihood is not a number: the model gave no answer there")
    return values


def _largest(values: Sequence[float]) -> int:
    return max(range(len(values)), key=values.__getitem__)


def _gold(
    rows: Sequence[dict[str, Any]], texts: Sequence[list[str]], chosen: Sequence[int], right: Sequence[bool]
) -> list[int | None]:
    """Returns the index of every item's gold choice, by reading lm-eval's target as an index or as a text.

    Takes the reading that agrees with lm-eval's ``acc`` on every item. Returns None for all items if neither does, as
    in tasks with several right answers.
    """
    targets = [str(row["target"]) for row in rows]
    numbers = [int(target) if target.isdecimal() and len(target) < 10 else None for target in targets]
    by_text = [
        choices.index(target) if target in choices else None for target, choices in zip(targets, texts, strict=True)
    ]
    for reading in (numbers, by_text):
        fits = (
            gold is not None and gold < len(choices) and (gold == index) == is_right
            for gold, choices, index, is_right in zip(reading, texts, chosen, right, strict=True)
        )
        if all(fits):
            return list(reading)
    return [None] * len(rows)


def _generated(rows: Sequence[dict[str, Any]], where: str) -> list[dict[str, object]]:
    answers: list[dict[str, object]] = []
    for row in rows:
        replies = row["filtered_resps"]
        text = replies[0] if isinstance(replies, list) and replies else replies
        answers.append(
            {
                "answer": None,
                "choice_logliks_nats": [],
                "choice_lengths": [],
                "chosen": None,
                "correct": _right(row, RIGHT_METRICS[::-1], where),
                "chosen_norm": None,
                "correct_norm": None,
                "generated": text if isinstance(text, str) else str(text),
            }
        )
    return answers
