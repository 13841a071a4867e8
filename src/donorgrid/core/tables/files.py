"""Reads and writes tables as CSV or Parquet.

A text cell that a spreadsheet would run as a formula (it begins with ``=``, ``+``, ``-`` or ``@``) is written with an
apostrophe before it, and read back without it.
"""

import re
from pathlib import Path

import polars as pl

from donorgrid.core.errors import InputError
from donorgrid.core.literal_files import read_csv, read_parquet
from donorgrid.core.text_files import check_utf8, refuse_devices

TABLE_FORMATS = (".csv", ".parquet")
READ_FORMATS = (".csv", ".tsv", ".parquet")
_FORMULA = r"^'*[=+\-@\t\r]"
_QUOTED = r"^'+[=+\-@\t\r]"
_REPEATED = re.compile(r"(.*)_duplicated_\d+")


def write_csv(frame: pl.DataFrame, path: Path) -> None:
    """Writes a table as CSV; text cells that begin like a formula get an apostrophe.

    Parameters
    ----------
    frame : DataFrame
        The table.
    path : Path
        The file, which is overwritten.
    """
    text = pl.selectors.string()
    quoted = pl.when(text.str.contains(_FORMULA)).then("'" + text).otherwise(text)
    frame = frame.with_columns(quoted.name.keep())
    frame.rename({name: f"'{name}" for name in frame.columns if re.match(_FORMULA, name)}).write_csv(path)


def read_table_file(path: Path) -> pl.DataFrame:
    """Reads a table from a file. The path is literal: no character in it is a pattern.

    Raises InputError if there is no such file, or as ``parse_table`` does.
    """
    if path.suffix.lower() not in READ_FORMATS:
        raise InputError(f"{path}: expected a table that ends in {', '.join(READ_FORMATS)}")
    refuse_devices(path)
    try:
        content = path.read_bytes()
    except (FileNotFoundError, ValueError):  # ValueError: a null character in the name
        raise InputError(f"{path}: no such file") from None
    except IsADirectoryError:
        raise InputError(f"{path}: is a folder, expected a table") from None
    return parse_table(content, suffix=path.suffix.lower(), what=str(path))


def parse_table(content: bytes, *, suffix: str, what: str) -> pl.DataFrame:
    """Reads a table from the content of a file.

    Parameters
    ----------
    content : bytes
        The content.
    suffix : {".csv", ".tsv", ".parquet"}
        The format. A ``.csv`` whose first line has no comma may be separated by semicolons or tabs.
    what : str
        The file's name, for messages.

    Returns
    -------
    DataFrame
        The rows. The types of a CSV's columns are inferred from all rows.

    Raises
    ------
    InputError
        If the content is no table of this format, has no rows, or two columns share their name.
    """
    if suffix != ".parquet":
        check_utf8(content, what=what)
    try:
        if suffix == ".parquet":
            frame = read_parquet(content)
        else:
            text = content.removeprefix(b"\xef\xbb\xbf")
            frame = read_csv(text, separator=_separator(text, suffix))
    except (pl.exceptions.PolarsError, OSError, ValueError) as error:
        raise InputError(f"{what}: not readable as {suffix[1:]}: {str(error).splitlines()[0]}") from error
    if not frame.height:
        raise InputError(f"{what}: the table has no rows")
    return frame if suffix == ".parquet" else _without_quotes(_refuse_repeated(frame, what))


def _separator(content: bytes, suffix: str) -> str:
    header = content.split(b"\n", 1)[0]
    if suffix == ".tsv":
        return "\t"
    return next((mark for mark in (",", ";", "\t") if mark.encode() in header), ",")


def _refuse_repeated(frame: pl.DataFrame, what: str) -> pl.DataFrame:
    """Raises InputError for a repeated column name; Polars gives the second one a suffix."""
    for name in frame.columns:
        repeated = _REPEATED.fullmatch(name)
        if repeated and repeated[1] in frame.columns:
            raise InputError(f"{what}: two columns are called '{repeated[1]}'; rename one")
    return frame


def _without_quotes(frame: pl.DataFrame) -> pl.DataFrame:
    text = pl.selectors.string()
    plain = pl.when(text.str.contains(_QUOTED)).then(text.str.slice(1)).otherwise(text)
    frame = frame.with_columns(plain.name.keep())
    return frame.rename({name: name[1:] for name in frame.columns if re.match(_QUOTED, name)})
