"""Writing a table as CSV or Parquet."""

from pathlib import Path

import polars as pl

from donorgrid.core.atomic_files import whole_file
from donorgrid.core.errors import InputError

FORMATS = (".csv", ".parquet")


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
    if path.suffix.lower() not in FORMATS:
        raise InputError(f"{path}: a table is written as {' or '.join(FORMATS)}")
    with whole_file(path) as unfinished:
        if path.suffix.lower() == ".csv":
            frame.write_csv(unfinished)
        else:
            frame.write_parquet(unfinished, compression="zstd")
    return path
