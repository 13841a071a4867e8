"""Reading a result table: CSV, TSV or Parquet, from a file or a web address."""

import urllib.error
import urllib.request
from pathlib import Path, PurePosixPath
from urllib.parse import urlsplit

import polars as pl

from donorgrid.core.errors import InputError
from donorgrid.core.tables import READ_FORMATS, parse_table, read_table_file

_SCHEMES = ("http://", "https://")
_TIMEOUT_S = 60
_MOST_BYTES = 512 * 2**20


def read_table(location: str) -> pl.DataFrame:
    """Returns the rows of a file or web address. Raises InputError if it is no readable table or has no rows."""
    if not _is_address(location):
        return read_table_file(Path(location))
    try:
        suffix = PurePosixPath(urlsplit(location).path).suffix.lower()
    except ValueError as error:
        raise InputError(f"{location}: no web address ({error})") from error
    if suffix not in READ_FORMATS:
        raise InputError(f"{location}: expected a table that ends in {', '.join(READ_FORMATS)}")
    return parse_table(download(location), suffix=suffix, what=location)


def _is_address(location: str) -> bool:
    return location.lower().startswith(_SCHEMES)


def download(address: str) -> bytes:
    """Returns the bytes at an http(s) address; the caller has checked the scheme, so no local file is opened."""
    try:
        with urllib.request.urlopen(address, timeout=_TIMEOUT_S) as answer:
            content: bytes = answer.read(_MOST_BYTES + 1)
    except (urllib.error.URLError, TimeoutError, OSError, ValueError) as error:
        raise InputError(f"{address}: cannot be fetched: {str(error).splitlines()[0]}") from error
    if len(content) > _MOST_BYTES:
        raise InputError(f"{address}: more than {_MOST_BYTES // 2**20} MiB; fetch it and import the file")
    return content
