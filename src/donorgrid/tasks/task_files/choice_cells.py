"""The choices of one row of a plain data file, in the forms that data sets have."""

import ast
import io
import json
import tokenize
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

_TEXT_KEYS = ("text", "content")
_LABEL_KEYS = ("label", "key")


def choices_in(row: Mapping[str, Any], columns: str | Sequence[str]) -> tuple[Any, tuple[str, ...]]:
    """Read the choices of a row.

    Parameters
    ----------
    row
        Column to value.
    columns
        The column that holds all choices, or one column for each. A single column holds a list, the text of a JSON or
        Python list, an object of label and text, ``{"text": [...], "label": [...]}``, or a list of ``{label, text}``.

    Returns
    -------
    choices : list or Any
        The texts; a value of another form is returned as it is, and makes the document invalid.
    labels : tuple of str
        The labels of the choices; empty where there are none.
    """
    if not isinstance(columns, str):
        cells = [row[column] for column in columns]
        while cells and _is_blank(cells[-1]):
            cells.pop()
        return ["" if cell is None else cell for cell in cells], ()
    value = list_in(row[columns])
    if isinstance(value, dict):
        return _of_object(value)
    if isinstance(value, list) and value and all(isinstance(part, dict) for part in value):
        return _of_objects(value)
    return value, ()


def list_in(value: Any) -> Any:
    """Returns the list or object in the text of a cell, written as JSON or as Python; any other value as it is."""
    if not isinstance(value, str):
        return value
    try:
        parsed = json.loads(value)
        value.encode("utf-8")
        json.dumps(parsed, ensure_ascii=False).encode("utf-8")
    except (ValueError, RecursionError):
        return _python_list(value)
    return parsed if isinstance(parsed, list | dict) else value


def _python_list(text: str) -> Any:
    """The list in a Python expression. NumPy writes no commas between texts, and Python would join them to one text."""
    if not text.strip().startswith(("[", "(", "{")):
        return text
    try:
        tokens = [token.type for token in tokenize.generate_tokens(io.StringIO(text.strip()).readline)]
        value = ast.literal_eval(text.strip())
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError, tokenize.TokenError):
        return text
    written = [kind for kind in tokens if kind not in (tokenize.NL, tokenize.NEWLINE)]
    if any(first == second == tokenize.STRING for first, second in pairwise(written)):
        return text
    return list(value) if isinstance(value, tuple) else value if isinstance(value, list | dict) else text


def _of_object(value: Mapping[str, Any]) -> tuple[Any, tuple[str, ...]]:
    texts = next((value[key] for key in _TEXT_KEYS if isinstance(value.get(key), list)), None)
    labels = next((value[key] for key in _LABEL_KEYS if isinstance(value.get(key), list)), None)
    if texts is not None:
        return texts, tuple(map(str, labels)) if labels is not None and len(labels) == len(texts) else ()
    present = {str(label): text for label, text in value.items() if text is not None}
    if present and all(isinstance(text, str) for text in present.values()):
        return list(present.values()), tuple(present)
    return value, ()


def _of_objects(value: Sequence[Mapping[str, Any]]) -> tuple[Any, tuple[str, ...]]:
    texts = [next((part[key] for key in _TEXT_KEYS if key in part), None) for part in value]
    labels = [next((part[key] for key in _LABEL_KEYS if key in part), None) for part in value]
    if any(not isinstance(text, str) for text in texts):
        return value, ()
    return texts, () if None in labels else tuple(map(str, labels))


def _is_blank(cell: object) -> bool:
    return cell is None or (isinstance(cell, str) and not cell.strip())
