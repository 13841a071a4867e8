"""The rows in the text of a JSON file: one object per line, or a list of objects; every value can be written again."""

import json
import re
from pathlib import Path
from typing import Any

from donorgrid.core.errors import InputError

DEEPEST = 50
"""How deep lists and objects may be nested."""
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")


def json_rows(text: str, path: Path, *, field: str | None) -> list[dict[str, Any]]:
    """Parse the rows of a JSON file.

    Parameters
    ----------
    text
        The content of the file.
    path
        The file, for messages.
    field
        The key under which an object has its list of rows; None for lines of objects or a list.

    Returns
    -------
    list of dict

    Raises
    ------
    InputError
        If the text is not JSON, its rows are no objects, or a value is nested too deep, too large a number, or no text.
    """
    rows: Any
    if field is None and not text.lstrip().startswith("["):
        rows = [_parse(line, path, number) for number, line in enumerate(text.split("\n"), 1) if line.strip()]
    else:
        content = _parse(text, path, None)
        rows = content if field is None else content.get(field) if isinstance(content, dict) else None
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise InputError(f"data file {path}: expected one JSON object per line, or a list of objects")
    return rows


def _parse(text: str, path: Path, line: int | None) -> Any:
    where = f"data file {path}" if line is None else f"data file {path}: line {line}"
    try:
        value = json.loads(text)
    except (json.JSONDecodeError, RecursionError) as error:
        number = getattr(error, "lineno", 1) if line is None else line
        reason = getattr(error, "msg", "nested too deep")
        raise InputError(f"data file {path}: line {number} is not valid JSON ({reason})") from error
    except ValueError as error:
        raise InputError(f"{where}: a number has too many digits") from error
    may_be_deep = text.count("[") + text.count("{") > DEEPEST
    may_be_half = _SURROGATE.search(text) is not None
    if may_be_deep or may_be_half:
        _check(value, where, depth=0)
    return value


def _check(value: Any, where: str, *, depth: int) -> None:
    if depth > DEEPEST:
        raise InputError(f"{where}: lists and objects are nested deeper than {DEEPEST} levels")
    if isinstance(value, str):
        try:
            value.encode("utf-8")
        except UnicodeEncodeError as error:
            half = value[error.start].encode("unicode_escape").decode()
            raise InputError(f"{where}: {half} is half of a surrogate pair, which is no text") from None
    elif isinstance(value, dict):
        for key, part in value.items():
            _check(key, where, depth=depth)
            _check(part, where, depth=depth + 1)
    elif isinstance(value, list):
        for part in value:
            _check(part, where, depth=depth + 1)
