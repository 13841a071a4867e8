"""Reads the rows of one local JSON, CSV or Parquet file, compressed or not."""

import csv
from pathlib import Path
from typing import Any

import polars as pl

from donorgrid.core.errors import InputError
from donorgrid.core.literal_files import read_csv, read_parquet
from donorgrid.core.text_files import check_utf8
from donorgrid.tasks.documents.file_content import FORMATS, data_suffix, read_content
from donorgrid.tasks.documents.json_rows import json_rows

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_SEPARATORS = (",", "\t", ";", "|")
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
        Between the cells of a CSV file, one ASCII character; by default the one of comma, tab, semicolon and bar that
        stands most often in the first line.
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
    kind = kind or FORMATS[data_suffix(path)]
    try:
        rows = _rows(path, kind, separator, quoted, field, as_text)
    except FileNotFoundError as error:
        raise InputError(f"data file {path}: there is no such file") from error
    except (pl.exceptions.PolarsError, OSError, ValueError, OverflowError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise InputError(f"data file {path}: not readable as {kind}: {reason}") from error
    columns = dict.fromkeys(name for row in rows for name in row)
    return [{name: row.get(name) for name in columns} for row in rows]


def _rows(path: Path, kind: str, separator: str | None, quoted: bool, field: str | None, as_text: bool) -> Rows:
    content = read_content(path)
    if kind == "parquet":
        return read_parquet(content).to_dicts()
    check_utf8(content, what=f"data file {path}")
    content = content.removeprefix(_BYTE_ORDER_MARK)
    if kind == "json":
        return json_rows(content.decode("utf-8"), path, field=field)
    return _csv_rows(content, path, separator=separator, quoted=quoted, as_text=as_text)


def _csv_rows(content: bytes, path: Path, *, separator: str | None, quoted: bool, as_text: bool) -> Rows:
    delimiter = separator or separator_in(content, quoted=quoted)
    if len(delimiter.encode()) != 1:
        raise InputError(f"data file {path}: delimiter is {delimiter!r}; expected one ASCII character")
    return read_csv(
        content,
        separator=delimiter,
        quote_char='"' if quoted else None,
        infer_schema=not as_text,
    ).to_dicts()


def separator_in(content: bytes, *, quoted: bool = True) -> str:
    """Find the separator of a CSV file by its first line.

    Parameters
    ----------
    content
        The content of the file, in UTF-8.
    quoted
        True if cells may stand in double quotes.

    Returns
    -------
    str
        The one of comma, tab, semicolon and bar that makes the most cells; a comma if none makes several.
    """
    first = content.lstrip(b"\r\n").split(b"\n", 1)[0].decode("utf-8", "replace").rstrip("\r")

    def n_cells(separator: str) -> int:
        try:
            if not quoted:
                return first.count(separator)
            return len(next(csv.reader([first], delimiter=separator), []))
        except csv.Error:
            return 0

    return max(_SEPARATORS, key=n_cells)
