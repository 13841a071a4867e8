"""Writing a table as CSV or Parquet."""

from pathlib import Path

import polars as pl

from donorgrid.core.atomic_files import whole_file
from donorgrid.core.errors import InputError
from donorgrid.core.tables import TABLE_FORMATS, write_csv


def export_table(frame: pl.DataFrame, path: Path) -> Path:
    """Writes a table in the format that the file's name ends in.

    Parameters
    ----------
    frame : DataFrame
        The table.
    path : Path
        The file: ``.csv`` or ``.parquet``.

    Returns
    -------
    Path
        ``path``.

    Raises
    ------
    InputError
        If the name has another ending.
    """
    if path.suffix.lower() not in TABLE_FORMATS:
        raise InputError(f"{path}: a table is written as {' or '.join(TABLE_FORMATS)}")
    with whole_file(path) as unfinished:
        if path.suffix.lower() == ".csv":
            write_csv(frame, unfinished)
        else:
            frame.write_parquet(unfinished, compression="zstd")
    return path
