"""Reads the rows of one local JSON, CSV or Parquet file."""

import json
from pathlib import Path
from typing import Any

import polars as pl

from donorgrid.core.errors import InputError
from donorgrid.core.literal_files import read_csv, read_parquet
from donorgrid.core.text_files import check_utf8

FORMATS = {".json": "json", ".jsonl": "json", ".csv": "csv", ".tsv": "csv", ".parquet": "parquet"}
Rows = list[dict[str, Any]]


def read_rows(
    path: Path,
    kind: str | None = None,
    *,
    separator: str | None = None,
    quoted: bool = True,
    field: str | None = None,
    as_text: bool = False,
) -> Rows:
    """Read the rows of a local file.

    Parameters
    ----------
    path
        The file.
    kind
        ``json``, ``csv`` or ``parquet``; by default what the file's suffix says (``FORMATS``).
    separator
        Between the cells of a CSV file, one ASCII character; by default a comma, or a tab in a .tsv file.
    quoted
        True if cells of a CSV file may stand in double quotes.
    field
        The key under which a JSON file has its list of rows.
    as_text
        True to keep the cells of a CSV file as text; otherwise a column of numbers becomes numbers.

    Returns
    -------
    list of dict
        All rows have the same columns; None where a JSON object lacks one.

    Raises
    ------
    InputError
        If the file does not exist or is malformed; the message names the file and, where known, the line.
    """
    kind = kind or FORMATS[path.suffix]
    try:
        rows = _rows(path, kind, separator, quoted, field, as_text)
    except FileNotFoundError as error:
        raise InputError(f"data file {path}: there is no such file") from error
    except (pl.exceptions.PolarsError, OSError, UnicodeDecodeError) as error:
        raise InputError(f"data file {path}: not readable as {kind}: {str(error).splitlines()[0]}") from error
    columns = dict.fromkeys(name for row in rows for name in row)
    return [{name: row.get(name) for name in columns} for row in rows]


def _rows(path: Path, kind: str, separator: str | None, quoted: bool, field: str | None, as_text: bool) -> Rows:
    if kind == "parquet":
        return read_parquet(path).to_dicts()
    check_utf8(path.read_bytes(), what=f"data file {path}")
    if kind == "json":
        return _json_rows(path, field=field)
    return _csv_rows(path, separator=separator, quoted=quoted, as_text=as_text)


def _csv_rows(path: Path, *, separator: str | None, quoted: bool, as_text: bool) -> Rows:
    delimiter = separator or ("\t" if path.suffix == ".tsv" else ",")
    if len(delimiter.encode()) != 1:
        raise InputError(f"data file {path}: delimiter is {delimiter!r}; expected one ASCII character")
    return read_csv(
        path,
        separator=delimiter,
        quote_char='"' if quoted else None,
        infer_schema=not as_text,
    ).to_dicts()


def _json_rows(path: Path, *, field: str | None) -> Rows:
    text = path.read_text(encoding="utf-8")
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
    try:
        return json.loads(text)
    except (json.JSONDecodeError, RecursionError) as error:
        number = getattr(error, "lineno", 1) if line is None else line
        reason = getattr(error, "msg", "nested too deep")
        raise InputError(f"data file {path}: line {number} is not valid JSON ({reason})") from error
