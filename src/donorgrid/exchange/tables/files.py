"""Reading a result table: CSV, TSV or Parquet, from a file or a web address."""

import urllib.error
import urllib.request
from pathlib import Path, PurePosixPath
from urllib.parse import urlsplit

import polars as pl

from donorgrid.core.errors import InputError
from donorgrid.core.literal_files import read_csv, read_parquet
from donorgrid.core.text_files import check_utf8

FORMATS = (".csv", ".tsv", ".parquet")
_SCHEMES = ("http", "https")
_TIMEOUT_S = 60
_MOST_BYTES = 512 * 2**20


def read_table(location: str) -> pl.DataFrame:
    """Returns the rows of a file or web address. Raises InputError if it is no readable table or has no rows.

    The types of a CSV's columns are inferred from all rows.
    """
    suffix = PurePosixPath(urlsplit(location).path if _is_address(location) else location).suffix.lower()
    if suffix not in FORMATS:
        raise InputError(f"{location}: expected a table that ends in {', '.join(FORMATS)}")
    written = _download(location) if _is_address(location) else _bytes_of(Path(location))
    if suffix != ".parquet":
        check_utf8(written, what=location)
    try:
        frame = (
            read_parquet(written)
            if suffix == ".parquet"
            else read_csv(written, separator="\t" if suffix == ".tsv" else ",")
        )
    except (pl.exceptions.PolarsError, OSError, UnicodeDecodeError) as error:
        raise InputError(f"{location}: not readable as {suffix[1:]}: {str(error).splitlines()[0]}") from error
    if not frame.height:
        raise InputError(f"{location}: the table has no rows")
    return frame


def _is_address(location: str) -> bool:
    return urlsplit(location).scheme in _SCHEMES


def _bytes_of(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise InputError(f"{path}: no such file") from None
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({type(error).__name__})") from error


def _download(address: str) -> bytes:
    """Returns the bytes at an http(s) address; the caller has checked the scheme, so no local file is opened."""
    try:
        with urllib.request.urlopen(address, timeout=_TIMEOUT_S) as answer:
            content: bytes = answer.read(_MOST_BYTES + 1)
    except (urllib.error.URLError, TimeoutError, OSError, ValueError) as error:
        raise InputError(f"{address}: cannot be fetched: {str(error).splitlines()[0]}") from error
    if len(content) > _MOST_BYTES:
        raise InputError(f"{address}: more than {_MOST_BYTES // 2**20} MiB; fetch it and import the file")
    return content
