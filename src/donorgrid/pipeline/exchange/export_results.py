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
    """Write deltas under the released table's names, as CSV or Parquet; an existing file is refused."""
    if path.exists():
        raise InputError(f"{path}: exists already; give another name")
    return export_table(to_released(deltas, by_seed=by_seed), path)


def export_task(task: str, language: str, out: Path, *, columns: Columns | None = None) -> Path:
    """Write one language of a task as an lm-eval task file with its data; the YAML's path."""
    found = find_task(task, folder=Path(), languages=(language,), columns=columns)
    return export_lm_eval_task(load_cell(found, language, sources=DOCUMENT_SOURCES), out, metrics=found.metrics)
