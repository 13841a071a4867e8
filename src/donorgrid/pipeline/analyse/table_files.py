"""Writes the tables of an analysis into a folder, all of them in one step."""

import shutil
from collections.abc import Mapping
from pathlib import Path

import polars as pl

from donorgrid.analyse import to_released
from donorgrid.core import tables as declared
from donorgrid.core.atomic_files import whole_folder
from donorgrid.core.system_refusals import refusals_named
from donorgrid.core.tables import write_csv
from donorgrid.pipeline.analyse.tables import BY_SEED, DELTAS

_SUFFIXES = ("", "_sound", "_unshared")
"""Endings of the tables that leave degenerate targets out, and cells whose source trains on the target's items."""


def write_tables(tables: Mapping[str, pl.DataFrame], folder: Path) -> list[Path]:
    """Write each table as CSV; equal tables give equal bytes.

    The new folder replaces the former one whole, so that tables of two analyses never lie side by side. Files that are
    no tables of an analysis stay.

    Parameters
    ----------
    tables : mapping of str to pl.DataFrame
        By name. Deltas are written under the column names of the released table.
    folder : Path
        Where they are written.

    Returns
    -------
    list of Path
        The written files.
    """
    with whole_folder(folder.resolve()) as unfinished:
        for name, frame in tables.items():
            with refusals_named(folder / f"{name}.csv"):
                write_csv(_released(name, frame, tables), unfinished / f"{name}.csv")
        _keep_others(folder, unfinished)
    return [folder / f"{name}.csv" for name in tables]


def _keep_others(former: Path, folder: Path) -> None:
    """Copies what the user put beside the former tables into the folder that replaces them."""
    kinds = [name.lower() for name in dir(declared) if isinstance(getattr(declared, name), declared.Table)]
    ours = {f"{name}{suffix}.csv" for name in kinds for suffix in _SUFFIXES}
    for path in former.iterdir() if former.is_dir() else ():
        if path.name in ours or path.name.startswith("."):
            continue
        if path.is_dir() and not path.is_symlink():
            shutil.copytree(path, folder / path.name, symlinks=True)
        else:
            shutil.copy2(path, folder / path.name, follow_symlinks=False)


def _released(name: str, frame: pl.DataFrame, tables: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    if name == DELTAS:
        return to_released(frame, by_seed=tables.get(BY_SEED))
    return to_released(frame) if name == BY_SEED else frame
