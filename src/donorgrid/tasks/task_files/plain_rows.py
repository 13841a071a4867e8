"""The rows of a plain data file as documents: which rows belong to a cell, and how their answers are written."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from donorgrid.core.errors import InputError, suggestion

Row = Mapping[str, Any]
ColumnNames = Mapping[str, Any]
"""Our column name -> the file's: a name, or for ``choices`` a list of names."""

REPLY_COLUMNS = ("prompt", "reply")
SPLITS = ("train", "test")


def plain_documents(
    rows: list[dict[str, Any]],
    split: str,
    *,
    names: ColumnNames,
    language: str,
    replies: bool,
    where: str,
) -> list[dict[str, Any]]:
    """Turn the rows of a file that belong to one language and split into documents.

    Parameters
    ----------
    rows
        All rows of the file.
    split
        ``train`` or ``test``.
    names
        Our column names to the file's.
    language
        The language wanted.
    replies
        True if the file has the columns prompt and reply.
    where
        The file's name, for messages.

    Returns
    -------
    list of dict
        Documents with our column names.

    Raises
    ------
    InputError
        If answers written in digits could be numbers of choices as well as their texts.
    """
    belonging = [row for row in rows if _belongs(row, names, language=language, split=split)]
    if replies:
        return [_reply_document(row, names) for row in belonging]
    numbers = _answers_are_numbers(belonging, names, where=where)
    return [_document(row, names, numbers=numbers) for row in belonging]


def _belongs(row: Row, names: ColumnNames, *, language: str, split: str) -> bool:
    """True if a row is of this language and split; a file without such a column has one language or one split."""
    return str(row.get(names["language"], language)) == language and row.get(names["split"], split) == split


def _answers_are_numbers(rows: Sequence[Row], names: ColumnNames, *, where: str) -> bool:
    """True if answers written in digits are the numbers of choices, False if they are texts; one rule for all rows.

    They are texts if each of them is among its choices. InputError if each could be either.
    """
    in_digits = [(row[names["answer"]], _options(row, names)) for row in rows if _in_digits(row[names["answer"]])]
    texts = all(answer in options for answer, options in in_digits)
    numbers = all(int(answer) < len(options) for answer, options in in_digits)
    ambiguous = [answer for answer, options in in_digits if texts and numbers and options[int(answer)] != answer]
    if ambiguous:
        raise InputError(
            f"{where}: answers such as '{ambiguous[0]}' could be the number of a choice or its text; write other "
            "texts, or JSON numbers in a .jsonl file"
        )
    return not texts


def _in_digits(answer: object) -> bool:
    return isinstance(answer, str) and answer.isascii() and answer.isdecimal()


def _options(row: Row, names: ColumnNames) -> list[Any]:
    options = _choices(row, names)
    return options if isinstance(options, list) else []


def _choices(row: Row, names: ColumnNames) -> Any:
    choices = names["choices"]
    if isinstance(choices, str):
        return _as_list(row[choices])
    return [row[column] for column in choices if row[column] not in (None, "")]


def _document(row: Row, names: ColumnNames, *, numbers: bool) -> dict[str, Any]:
    answer = row[names["answer"]]
    document = {
        "question": row[names["question"]],
        "choices": _choices(row, names),
        "answer": int(answer) if numbers and _in_digits(answer) else answer,
    }
    return document | ({"id": row[names["id"]]} if names["id"] in row else {})


def _reply_document(row: Row, names: ColumnNames) -> dict[str, Any]:
    document = {name: row[names[name]] for name in REPLY_COLUMNS}
    return document | ({"id": row[names["id"]]} if names["id"] in row else {})


def _as_list(value: Any) -> Any:
    """The list in the JSON text of a CSV cell; anything else stays as it is, and makes the document invalid."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except (json.JSONDecodeError, RecursionError):
        return value


def check_columns(rows: list[dict[str, Any]], names: ColumnNames, needed: Sequence[str], *, where: str) -> None:
    """Check that a file has rows and the columns that its kind of task needs.

    Parameters
    ----------
    rows
        All rows of the file.
    names
        Our column names to the file's.
    needed
        Our names of the columns needed.
    where
        The file's name, for messages.

    Raises
    ------
    InputError
        If there is no row, or a column is missing.
    """
    if not rows:
        raise InputError(f"{where}: it has no rows")
    has = ", ".join(rows[0])
    for name in needed:
        for column in [names[name]] if isinstance(names[name], str) else names[name]:
            if column not in rows[0]:
                near = suggestion(column, rows[0])
                raise InputError(f"{where}: column '{column}' ({name}) is missing{near}; it has {has}")


def splits_in(rows: list[dict[str, Any]], names: ColumnNames, *, where: str) -> set[str]:
    """List the splits that the rows of a file name.

    Parameters
    ----------
    rows
        All rows of the file, at least one.
    names
        Our column names to the file's.
    where
        The file's name, for messages.

    Returns
    -------
    set of str
        ``train``, ``test`` or both; ``test`` for a file without a column of splits.

    Raises
    ------
    InputError
        If a row names another split.
    """
    column = names["split"]
    splits = {str(row.get(column)) for row in rows} if column in rows[0] else {"test"}
    for value in sorted(splits - set(SPLITS)):
        raise InputError(f"{where}: column '{column}' has '{value}'; allowed: train, test")
    return splits
