"""The rows of a plain data file as documents: which rows belong to a cell, and how their answers are written."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from donorgrid.core.errors import InputError, suggestion

REPLY_COLUMNS = ("prompt", "reply")
SPLITS = ("train", "test")


def plain_documents(
    raw: list[dict[str, Any]],
    split: str,
    *,
    names: Mapping[str, str | Sequence[str]],
    language: str,
    replies: bool,
    where: str,
) -> list[dict[str, Any]]:
    """The documents of one language and split among the rows of a file."""
    own = [row for row in raw if _belongs(row, names, language=language, split=split)]
    if replies:
        return [_reply_document(row, names) for row in own]
    numbers = _answers_are_numbers(own, names, where=where)
    return [_document(row, names, numbers=numbers) for row in own]


def _belongs(row: Mapping[str, Any], names: Mapping[str, Any], *, language: str, split: str) -> bool:
    """Whether a row is of this language and split; a file without such a column is of one language or one split."""
    return str(row.get(names["language"], language)) == language and row.get(names["split"], split) == split


def _answers_are_numbers(rows: Sequence[Mapping[str, Any]], names: Mapping[str, Any], *, where: str) -> bool:
    """Whether answers written in digits are the numbers of choices, or their texts: one rule for all rows.

    They are texts when every one of them is among its choices. InputError when every one could be either.
    """
    written = [(row[names["answer"]], _options(row, names)) for row in rows if _in_digits(row[names["answer"]])]
    texts = all(answer in options for answer, options in written)
    numbers = all(int(answer) < len(options) for answer, options in written)
    differ = [answer for answer, options in written if texts and numbers and options[int(answer)] != answer]
    if differ:
        raise InputError(
            f"{where}: answers such as '{differ[0]}' could be the number of a choice or its text; write other texts, "
            "or JSON numbers in a .jsonl file"
        )
    return not texts


def _in_digits(answer: object) -> bool:
    return isinstance(answer, str) and answer.isascii() and answer.isdecimal()


def _options(row: Mapping[str, Any], names: Mapping[str, Any]) -> list[Any]:
    options = _choices(row, names)
    return options if isinstance(options, list) else []


def _choices(row: Mapping[str, Any], names: Mapping[str, Any]) -> Any:
    choices = names["choices"]
    listed = row[choices] if isinstance(choices, str) else [row[one] for one in choices if row[one] not in (None, "")]
    return _as_list(listed)


def _document(row: Mapping[str, Any], names: Mapping[str, Any], *, numbers: bool) -> dict[str, Any]:
    answer = row[names["answer"]]
    document = {
        "question": row[names["question"]],
        "choices": _choices(row, names),
        "answer": int(answer) if numbers and _in_digits(answer) else answer,
    }
    return document | ({"id": row[names["id"]]} if names["id"] in row else {})


def _reply_document(row: Mapping[str, Any], names: Mapping[str, Any]) -> dict[str, Any]:
    document = {name: row[names[name]] for name in REPLY_COLUMNS}
    return document | ({"id": row[names["id"]]} if names["id"] in row else {})


def _as_list(value: Any) -> Any:
    """A list from the JSON text that a CSV cell holds; what is no list stays, and makes the document invalid."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except (json.JSONDecodeError, RecursionError):
        return value


def check_columns(rows: list[dict[str, Any]], names: Mapping[str, Any], needed: Sequence[str], *, where: str) -> None:
    """InputError when a column is missing."""
    if not rows:
        raise InputError(f"{where}: it has no rows")
    has = ", ".join(rows[0])
    for name in needed:
        for column in [names[name]] if isinstance(names[name], str) else names[name]:
            if column not in rows[0]:
                near = suggestion(column, rows[0])
                raise InputError(f"{where}: column '{column}' ({name}) is missing{near}; it has {has}")


def splits_in(rows: list[dict[str, Any]], names: Mapping[str, Any], *, where: str) -> set[str]:
    """The splits that the rows name."""
    column = names["split"]
    found = {str(row.get(column)) for row in rows} if column in rows[0] else {"test"}
    for value in sorted(found - set(SPLITS)):
        raise InputError(f"{where}: column '{column}' has '{value}'; allowed: train, test")
    return found
