"""A study's deltas and a task's items in the formats of other tools. No torch."""

from pathlib import Path

import polars as pl

from donorgrid.analyse import to_released
from donorgrid.core.errors import InputError
from donorgrid.exchange import export_lm_eval_task, export_table
from donorgrid.pipeline.prepare.study_items import DOCUMENT_SOURCES
from donorgrid.tasks import find_task, load_cell
from donorgrid.tasks.task_files.plain import Columns


def export_deltas(deltas: pl.DataFrame, by_seed: pl.DataFrame | None, path: Path) -> Path:
    """Write deltas under the column names of the released table.

    Parameters
    ----------
    deltas : pl.DataFrame
        A study's deltas.
    by_seed : pl.DataFrame or None
        Its deltas by seed, which give the spread over seeds.
    path : Path
        The file: .csv or .parquet.

    Returns
    -------
    Path
        The written file.

    Raises
    ------
    InputError
        If the file exists.
    """
    if path.exists():
        raise InputError(f"{path}: exists already; give another name")
    return export_table(to_released(deltas, by_seed=by_seed), path)


def export_task(task: str, language: str, out: Path, *, columns: Columns | None = None) -> Path:
    """Write one language of a task as an lm-eval task file with its data.

    Parameters
    ----------
    task : str
        A catalog name, a task file, or a data file.
    language : str
        The language.
    out : Path
        The new folder.
    columns : mapping, optional
        The data file's column for each of our names, where they differ.

    Returns
    -------
    Path
        The YAML file.
    """
    task_file = find_task(task, folder=Path(), languages=(language,), columns=columns)
    return export_lm_eval_task(load_cell(task_file, language, sources=DOCUMENT_SOURCES), out, metrics=task_file.metrics)
