"""Reads a samples file of lm-eval: one JSON object per line and item."""

import json
from pathlib import Path
from typing import Any

from donorgrid.core.errors import InputError
from donorgrid.exchange.lm_eval.json_text import json_problem, refuse_lone_surrogates

_ROW: dict[str, type] = {
    "doc": object,
    "doc_hash": str,
    "prompt_hash": str,
    "target": object,
    "filter": str,
    "filtered_resps": list,
}
"""The keys of a row that are read, and their types."""


def read_sample_rows(path: Path) -> list[dict[str, Any]]:
    """Returns the rows of a samples file. Raises InputError, with the line, for a row that lm-eval does not write."""
    rows = []
    try:
        with path.open(encoding="utf-8") as lines:
            for number, line in enumerate(lines, 1):
                if line.strip():
                    rows.append(_row(line, f"{path}: line {number}"))
    except (FileNotFoundError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: cannot be read as UTF-8 text ({type(error).__name__})") from error
    if not rows:
        raise InputError(f"{path}: holds no rows")
    return rows


def _row(line: str, where: str) -> dict[str, Any]:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{where} is not valid JSON ({json_problem(error)})") from error
    if not isinstance(row, dict):
        raise InputError(f"{where} is no JSON object")
    refuse_lone_surrogates(line, where)
    for key, kind in _ROW.items():
        if key not in row:
            raise InputError(f"{where} has no key '{key}', which lm-eval writes from version 0.4.3 on")
        if not isinstance(row[key], kind):
            raise InputError(f"{where}: '{key}' is {str(row[key])[:40]!r}, which lm-eval does not write")
    return row
