"""JSON as other tools write it: what is wrong with a text, in a few words."""

import json
from pathlib import Path
from typing import Any

from donorgrid.core.errors import InputError


def read_json_object(path: Path) -> dict[str, Any]:
    """Returns the object in a JSON file. Raises InputError if the file cannot be read or holds no object."""
    try:
        text = path.read_text(encoding="utf-8")
    except (FileNotFoundError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: cannot be read as UTF-8 text ({type(error).__name__})") from error
    try:
        content = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path}: not valid JSON ({json_problem(error)})") from error
    if not isinstance(content, dict):
        raise InputError(f"{path}: no results of lm-eval: expected a JSON object")
    refuse_lone_surrogates(text, str(path))
    return content


def json_problem(error: Exception) -> str:
    """Returns what a JSON parser says, without the position."""
    if isinstance(error, RecursionError):
        return "nested too deep"
    return str(getattr(error, "msg", None) or error).splitlines()[0]


def refuse_lone_surrogates(text: str, where: str) -> None:
    r"""Raises InputError if a JSON text escapes half a character (such as ``"\ud800"``), which no file can hold.

    Parameters
    ----------
    text : str
        Valid JSON.
    where : str
        The place, for the message.
    """
    if "\\ud" not in text.lower():
        return
    try:
        json.dumps(json.loads(text), ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError:
        raise InputError(
            f"{where} holds half of a character, written as a lone surrogate (\\ud800 to \\udfff)"
        ) from None
