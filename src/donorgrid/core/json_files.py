"""Reads the JSON files of others: whatever is wrong with one is a single line that names it."""

import json
from pathlib import Path
from typing import Any

from donorgrid.core.errors import InputError
from donorgrid.core.text_files import refuse_devices


def read_json_object(file: Path, *, what: str = "a JSON object") -> dict[str, Any]:
    """Returns the object in a JSON file.

    Parameters
    ----------
    file : Path
        The file.
    what : str
        What the file is expected to be, for the message.

    Returns
    -------
    dict

    Raises
    ------
    InputError
        If the file cannot be read, or holds no object.
    """
    refuse_devices(file)
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(f"{file}: cannot be read as {what}: {_reason(error)}") from error
    if not isinstance(content, dict):
        raise InputError(f"{file}: cannot be read as {what}: it is no JSON object")
    return content


def _reason(error: Exception) -> str:
    if isinstance(error, RecursionError):
        return "it is nested too deep"
    reason = error.strerror if isinstance(error, OSError) else None
    return reason or next(iter(str(error).splitlines()), type(error).__name__)
