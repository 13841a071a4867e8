"""Results of other tools into a folder that ``analyse`` and ``report`` read. No torch."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from donorgrid.analyse import to_released
from donorgrid.analyse.reading.released_names import from_released
from donorgrid.analyse.reading.result_tables import errors_of_tables, tables_from
from donorgrid.analyse.reading.table_deltas import metric_of
from donorgrid.core.atomic_files import whole_file
from donorgrid.core.errors import InputError
from donorgrid.core.records import Metric
from donorgrid.exchange import (
    ImportedTable,
    export_table,
    import_lm_eval,
    import_table,
    write_import,
)
from donorgrid.exchange.lm_eval.draft import draft_of
from donorgrid.exchange.lm_eval.find import find_outputs

TABLE = "deltas.csv"


@dataclass(frozen=True, kw_only=True)
class Imported:
    """What was imported: the path to give to ``analyse``, how much it is in words, and notes for the user."""

    path: Path
    size: str
    notes: tuple[str, ...]


def import_outputs(paths: Sequence[Path], mapping_file: Path, out: Path) -> Imported:
    """Import lm-eval's outputs.

    Parameters
    ----------
    paths : sequence of Path
        Results files, or folders with them.
    mapping_file : Path
        Which task is which cell, and which folder is whose.
    out : Path
        The new folder. It receives item answers, or a table where samples were not logged.

    Returns
    -------
    Imported

    Raises
    ------
    InputError
        If an output cannot be used or is not mapped.
    """
    imported = import_lm_eval(paths, mapping_file=mapping_file)
    if isinstance(imported, ImportedTable):
        return _write_table(imported, out)
    notes = write_import(imported, out)
    n_models = sum(1 for _ in imported.models())
    size = f"{n_models} base models and {len(imported.subjects) - n_models} fine-tunes, item by item"
    return Imported(path=out, size=size, notes=notes)


def import_tables(
    tables: Sequence[str], mapping_file: Path | None, out: Path, *, metric: Metric | None = None
) -> Imported:
    """Import result tables into one table.

    Parameters
    ----------
    tables : sequence of str
        CSV or Parquet tables, as files or addresses.
    mapping_file : Path or None
        Which column is which, where they have other names.
    out : Path
        The new folder.
    metric : {"acc", "acc_norm"}, optional
        The metric that the table is analysed by; the default is ``acc_norm``, or ``acc`` if the tables have no other.

    Returns
    -------
    Imported

    Raises
    ------
    InputError
        If a table cannot be used.
    """
    with errors_of_tables(tables):
        imported = import_table(tables, to_our_names=from_released, mapping_file=mapping_file)
        return _write_table(imported, out, metric=metric)


def write_draft(paths: Sequence[Path], mapping_file: Path) -> tuple[str, ...]:
    """Writes a first mapping file for lm-eval's outputs, to be checked and filled in.

    Parameters
    ----------
    paths : sequence of Path
        Results files, or folders with them.
    mapping_file : Path
        The file to write.

    Returns
    -------
    tuple of str
        A line for every file that was seen and left out.

    Raises
    ------
    InputError
        If the file exists.
    """
    if mapping_file.exists():
        raise InputError(f"{mapping_file}: exists already; give another name")
    files = find_outputs(paths)
    with whole_file(mapping_file) as unfinished:
        unfinished.write_text(draft_of(files), encoding="utf-8")
    return files.notes()


def _write_table(imported: ImportedTable, out: Path, *, metric: Metric | None = None) -> Imported:
    path = out / TABLE
    if path.exists():
        raise InputError(f"{path}: exists already; give another folder")
    used = metric or metric_of(imported.frame)
    tables_from(imported.frame, metric=used)  # reports contradictions now, not when the table is analysed
    export_table(to_released(imported.frame.with_columns(metric=pl.lit(used))), path)
    return Imported(path=path, size=f"{imported.frame.height:,} rows", notes=imported.notes)
