"""Documents: the rows of a task's splits, from local JSON, CSV or Parquet files, the hub, or a reader passed in."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import polars as pl

from donorgrid.core.errors import InputError, suggestion
from donorgrid.tasks.hub import hub_documents
from donorgrid.tasks.keys import DatasetOptions
from donorgrid.tasks.task_file import CellKeys

DocumentSource = Callable[[str, str], list[dict[str, Any]]]
"""A reader of documents: (dataset_name, split) to rows."""

LOCAL_FORMATS = ("json", "csv", "parquet")


def read_documents(cell: CellKeys, split: str, *, sources: Mapping[str, DocumentSource]) -> list[dict[str, Any]]:
    """All documents of one split; InputError when the data are missing or cannot be read."""
    keys = cell.keys
    if keys.dataset_path in sources:
        return sources[keys.dataset_path](keys.dataset_name or "", split)
    if keys.dataset_path in LOCAL_FORMATS:
        rows = [row for path in _files_of(cell, split) for row in read_file(path, keys.dataset_path, cell=cell)]
        columns = dict.fromkeys(name for row in rows for name in row)
        return [{name: row.get(name) for name in columns} for row in rows]
    options = keys.dataset_kwargs
    if "/" not in keys.dataset_path:
        near = suggestion(keys.dataset_path, [*LOCAL_FORMATS, *sources])
        allowed = ", ".join([*LOCAL_FORMATS, *sources])
        raise InputError(
            f"{cell.where}: dataset_path is '{keys.dataset_path}'{near}; allowed: {allowed}, or a hub ID 'owner/name'"
        )
    return hub_documents(
        keys.dataset_path,
        keys.dataset_name,
        split=split,
        revision=options.revision,
        data_files=options.data_files or None,
    )


def _files_of(cell: CellKeys, split: str) -> list[Path]:
    given = cell.keys.dataset_kwargs.data_files
    by_split = given if isinstance(given, dict) else {"train": given}
    if not given:
        raise InputError(f"{cell.where}: dataset_path '{cell.keys.dataset_path}' needs dataset_kwargs.data_files")
    if split not in by_split:
        raise InputError(
            f"{cell.where}: data_files has no split '{split}'{suggestion(split, by_split)}; it has "
            f"{', '.join(by_split)}"
        )
    named = by_split[split]
    paths = [cell.folder / name for name in ([named] if isinstance(named, str) else named)]
    found = [one for path in paths for one in (sorted(path.parent.glob(path.name)) if "*" in path.name else [path])]
    missing = [path for path in found if not path.is_file()] or ([] if found else paths)
    if missing:
        raise InputError(f"{cell.where}: data file {missing[0]} (split '{split}') is not there")
    return found


def read_file(path: Path, kind: str, *, cell: CellKeys) -> list[dict[str, Any]]:
    """The rows of one local file; InputError names the file and the line where it is not what it should be."""
    options = cell.keys.dataset_kwargs
    try:
        if kind == "json":
            return _json_rows(path, field=options.field)
        if kind == "parquet":
            return pl.read_parquet(path).to_dicts()
        return _csv_rows(path, options=options, as_text=cell.plain is not None)
    except (pl.exceptions.PolarsError, OSError, UnicodeDecodeError) as error:
        raise InputError(f"data file {path}: not readable as {kind}: {str(error).splitlines()[0]}") from error


def _csv_rows(path: Path, *, options: DatasetOptions, as_text: bool) -> list[dict[str, Any]]:
    separator = options.delimiter or options.sep or ("\t" if path.suffix == ".tsv" else ",")
    if len(separator.encode()) != 1:
        raise InputError(f"data file {path}: delimiter is {separator!r}; expected one ASCII character")
    return pl.read_csv(
        path,
        separator=separator,
        quote_char=None if options.quoting == 3 else '"',
        infer_schema=not as_text,
        infer_schema_length=None,
    ).to_dicts()


def _json_rows(path: Path, *, field: str | None) -> list[dict[str, Any]]:
    text = path.read_text(encoding="utf-8")
    rows: Any
    if field is None and not text.lstrip().startswith("["):
        rows = [_parse(line, path, number) for number, line in enumerate(text.split("\n"), 1) if line.strip()]
    else:
        content = _parse(text, path, None)
        rows = content if field is None else content.get(field) if isinstance(content, dict) else None
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise InputError(f"data file {path}: expected one JSON object per line, or a list of objects")
    return rows


def _parse(text: str, path: Path, line: int | None) -> Any:
    try:
        return json.loads(text)
    except (json.JSONDecodeError, RecursionError) as error:
        at = f"line {line}" if line is not None else f"line {getattr(error, 'lineno', 1)}"
        raise InputError(
            f"data file {path}: {at} is not valid JSON ({getattr(error, 'msg', 'nested too deep')})"
        ) from error
