"""The rows of a plain data file as documents: which rows belong to a cell, and how their answers are written."""

from collections.abc import Mapping, Sequence
from itertools import takewhile
from string import ascii_uppercase
from typing import Any

from donorgrid.core.errors import InputError, suggestion
from donorgrid.facts.languages import language_label
from donorgrid.tasks.task_files.answers import Answer, Convention, convention_of
from donorgrid.tasks.task_files.choice_cells import choices_in

Row = Mapping[str, Any]
ColumnNames = Mapping[str, Any]
"""Our column name -> the file's: a name, or for ``choices`` a list of names."""

ANSWERS_FROM = "answers_from"
"""The key that says how answers name the right choice; it stands among the column names."""
REPLY_COLUMNS = ("prompt", "reply")
SPLITS = ("train", "test")


def plain_documents(
    rows: list[dict[str, Any]],
    split: str,
    *,
    names: ColumnNames,
    language: str,
    convention: Convention | None,
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
        The canonical code of the language wanted; rows may spell it otherwise.
    convention
        How answers name the right choice; None if the file has the columns prompt and reply.

    Returns
    -------
    list of dict
        Documents with our column names.
    """
    belonging = [(number, row) for number, row in enumerate(rows) if _belongs(row, names, language, split)]
    if convention is None:
        return [_reply_document(row, names) for _, row in belonging]
    return [_document(row, number, names, convention) for number, row in belonging]


def _belongs(row: Row, names: ColumnNames, language: str, split: str) -> bool:
    """True if a row is of this language and split; a file without such a column has one language or one split."""
    return (
        language_label(str(row.get(names["language"], language))) == language
        and row.get(names["split"], split) == split
    )


def convention_in(rows: Sequence[Row], names: ColumnNames, *, where: str) -> Convention:
    """Decide how the answers of a file name the right choice.

    Parameters
    ----------
    rows
        All rows of the file.
    names
        Our column names to the file's, and ``answers_from`` where it is given.
    where
        The file's name, for messages.

    Returns
    -------
    Convention

    Raises
    ------
    InputError
        If the answers cannot be read in one way.
    """
    answers = [_answer(row, number, names)[0] for number, row in enumerate(rows)]
    return convention_of(answers, given=names.get(ANSWERS_FROM), where=where)


def _answer(row: Row, number: int, names: ColumnNames) -> tuple[Answer, Any]:
    """The answer of a row, and its choices as they go into the document."""
    choices, labels = choices_in(row, names["choices"])
    listed = choices if isinstance(choices, list) else []
    return Answer(row=number, value=row[names["answer"]], choices=listed, labels=labels), choices


def _document(row: Row, number: int, names: ColumnNames, convention: Convention) -> dict[str, Any]:
    answer, choices = _answer(row, number, names)
    document = {
        "question": row[names["question"]],
        "choices": choices,
        "answer": convention.document_answer(answer),
    }
    return document | ({"id": row[names["id"]]} if names["id"] in row else {})


def _reply_document(row: Row, names: ColumnNames) -> dict[str, Any]:
    document = {name: row[names[name]] for name in REPLY_COLUMNS}
    return document | ({"id": row[names["id"]]} if names["id"] in row else {})


def names_for(rows: Sequence[Row], names: ColumnNames) -> ColumnNames:
    """Fit the column names to the columns that a file has.

    Parameters
    ----------
    rows
        All rows of the file, at least one.
    names
        Our column names to the file's.

    Returns
    -------
    mapping
        ``choices: A,B,C,D`` becomes a list of columns. In a file without the columns choices and answer these are the
        columns A, B, ... as in MMLU, and ``answerKey`` as in ARC.
    """
    choices, fitted = names["choices"], dict(names)
    if isinstance(choices, str) and "," in choices and choices not in rows[0]:
        fitted["choices"] = [column.strip() for column in choices.split(",")]
    lettered = list(takewhile(rows[0].__contains__, ascii_uppercase))
    if choices == "choices" and choices not in rows[0] and len(lettered) > 1:
        fitted["choices"] = lettered
    if names["answer"] == "answer" and "answer" not in rows[0] and "answerKey" in rows[0]:
        fitted["answer"] = "answerKey"
    return fitted


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
