"""Opens files by their literal path: no character of a name is a pattern.

Polars reads ``[``, ``*`` and ``?`` in a path as a pattern, and a leading ``~`` as the home folder. The functions here
are the only ones that hand a file to Polars; ``matching_files`` is for patterns that a user writes as such.
"""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import polars as pl


@contextmanager
def _panics_are_errors() -> Iterator[None]:
    """Polars' Rust code panics on some damaged files; PanicException is no Exception, and would end the process."""
    try:
        yield
    except pl.exceptions.PanicException as error:
        raise pl.exceptions.ComputeError("the file is damaged") from error


def read_parquet(source: Path | bytes) -> pl.DataFrame:
    """Returns the rows of a Parquet file, or of its bytes. Raises PolarsError for a damaged one."""
    with _panics_are_errors(), io.BytesIO(source) if isinstance(source, bytes) else source.open("rb") as stream:
        return pl.read_parquet(stream)


def read_parquet_footer(path: Path) -> dict[str, str]:
    """Returns the key-value metadata in the footer of a Parquet file."""
    with _panics_are_errors(), path.open("rb") as stream:
        return pl.read_parquet_metadata(stream)


def read_csv(source: Path | bytes, **options: Any) -> pl.DataFrame:
    """Returns the rows of a CSV file.

    Parameters
    ----------
    source : Path or bytes
        The file, or its content.
    **options
        As ``polars.read_csv`` takes them. The types of columns are inferred from all rows.

    Returns
    -------
    polars.DataFrame

    Raises
    ------
    polars.exceptions.PolarsError
        If the content is malformed.
    """
    content = source if isinstance(source, bytes) else source.read_bytes()
    with _panics_are_errors():
        return pl.read_csv(content, **{"infer_schema_length": None, **options})


def matching_files(start: Path, pattern: str) -> list[Path]:
    """Returns the files that a pattern names.

    Parameters
    ----------
    start : Path
        The folder that a relative pattern starts from.
    pattern : str
        A path with ``*``, ``?`` or ``[...]``. Parts that exist under exactly this name are taken literally.

    Returns
    -------
    list of Path
        Sorted; empty if there is no such file.
    """
    literal, *parts = (start, *Path(pattern).parts)
    while parts and (literal / parts[0]).exists():
        literal = literal / parts.pop(0)
    if not parts:
        return [literal] if literal.is_file() else []
    return sorted(path for path in literal.glob(str(Path(*parts))) if path.is_file())
