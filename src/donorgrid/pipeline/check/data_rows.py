"""The rows of a plain data file, checked before they become items."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from donorgrid.core.errors import InputError
from donorgrid.core.records import Item
from donorgrid.tasks.documents.local_files import Rows, read_rows

LARGEST_BYTES = 2**30
_NAMES = ("language", "split")


def read_checked_rows(path: Path, columns: Mapping[str, Any]) -> Rows:
    """The rows of a plain data file.

    Parameters
    ----------
    path : Path
        The file.
    columns : mapping
        The file's column for each of our names, where they differ.

    Returns
    -------
    sequence of mapping

    Raises
    ------
    InputError
        If the file is too large or empty, or a row holds a list where a text is expected.
    """
    if path.is_file() and path.stat().st_size > LARGEST_BYTES:
        raise InputError(
            f"data file {path}: it has {path.stat().st_size / 2**30:.1f} GiB; a target may have {LARGEST_BYTES >> 30} "
            "GiB: cut it to the items that you want to check"
        )
    rows = read_rows(path, as_text=True)
    if not rows:
        raise InputError(f"data file {path}: it has no rows; a target needs items")
    for number, row in enumerate(rows):
        _check_row(row, columns, where=f"data file {path}: row {number}")
    return rows


def _check_row(row: Mapping[str, Any], columns: Mapping[str, Any], *, where: str) -> None:
    for name in _NAMES:
        column = columns.get(name, name)
        if isinstance(row.get(column), list | dict):
            raise InputError(f"{where}: column '{column}' holds a list or an object; expected a text")
    choices, answer = columns.get("choices", "choices"), row.get(columns.get("answer", "answer"))
    if isinstance(answer, str) and isinstance(choices, str) and choices in row and row[choices] is None:
        raise InputError(f"{where}: column '{choices}' is empty")


def check_texts(item: Item) -> None:
    """InputError when an item's text is no text: half of a surrogate pair, which no encoding can write."""
    try:
        "\n".join((item.id, item.context, *item.choices)).encode("utf-8")
    except UnicodeEncodeError as error:
        raise InputError(f"item '{item.id}' of '{item.cell}': its text is not Unicode ({error.reason})") from error
