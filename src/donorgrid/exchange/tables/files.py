"""Reading a result table as it is: CSV, TSV or Parquet, from a file or an https address."""

import io
import urllib.error
import urllib.request
from pathlib import Path, PurePosixPath
from urllib.parse import urlsplit

import polars as pl

from donorgrid.core.errors import InputError
from donorgrid.core.text_files import check_utf8

FORMATS = (".csv", ".tsv", ".parquet")
_SCHEMES = ("http", "https")
_TIMEOUT_S = 60
_MOST_BYTES = 512 * 2**20


def read_table(place: str) -> pl.DataFrame:
    """The rows of a file or address, types found from all of them. InputError, one line, when it cannot be read."""
    suffix = PurePosixPath(urlsplit(place).path if _is_address(place) else place).suffix.lower()
    if suffix not in FORMATS:
        raise InputError(f"{place}: expected a table that ends in {', '.join(FORMATS)}")
    written = _download(place) if _is_address(place) else _bytes_of(Path(place))
    if suffix != ".parquet":
        check_utf8(written, what=place)
    content = io.BytesIO(written)
    try:
        frame = (
            pl.read_parquet(content)
            if suffix == ".parquet"
            else pl.read_csv(content, separator="\t" if suffix == ".tsv" else ",", infer_schema_length=None)
        )
    except (pl.exceptions.PolarsError, OSError, UnicodeDecodeError) as error:
        raise InputError(f"{place}: not readable as {suffix[1:]}: {str(error).splitlines()[0]}") from error
    if not frame.height:
        raise InputError(f"{place}: the table has no rows")
    return frame


def _is_address(place: str) -> bool:
    return urlsplit(place).scheme in _SCHEMES


def _bytes_of(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise InputError(f"{path}: no such file") from None
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({type(error).__name__})") from error


def _download(address: str) -> bytes:
    """The bytes at an http(s) address. The scheme was checked: no file or other local thing is opened this way."""
    try:
        with urllib.request.urlopen(address, timeout=_TIMEOUT_S) as answer:
            content: bytes = answer.read(_MOST_BYTES + 1)
    except (urllib.error.URLError, TimeoutError, OSError, ValueError) as error:
        raise InputError(f"{address}: cannot be fetched: {str(error).splitlines()[0]}") from error
    if len(content) > _MOST_BYTES:
        raise InputError(f"{address}: more than {_MOST_BYTES // 2**20} MiB; fetch it and import the file")
    return content
