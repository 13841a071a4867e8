"""A table as CSV or Parquet, as the file's name ends."""

from pathlib import Path

import polars as pl

from donorgrid.core.atomic_files import whole_file
from donorgrid.core.errors import InputError

FORMATS = (".csv", ".parquet")


def export_table(frame: pl.DataFrame, path: Path) -> Path:
    """Write ``frame`` whole; InputError when the name ends in neither .csv nor .parquet."""
    if path.suffix.lower() not in FORMATS:
        raise InputError(f"{path}: a table is written as {' or '.join(FORMATS)}")
    with whole_file(path) as unfinished:
        if path.suffix.lower() == ".csv":
            frame.write_csv(unfinished)
        else:
            frame.write_parquet(unfinished, compression="zstd")
    return path
