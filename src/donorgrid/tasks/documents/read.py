"""Reads the documents (rows) of one split: from local files, the hub, or a reader that the caller passes in."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from donorgrid.core.errors import InputError, suggestion
from donorgrid.core.literal_files import matching_files
from donorgrid.tasks.documents.hub import hub_documents
from donorgrid.tasks.documents.local_files import Rows, read_rows
from donorgrid.tasks.task_files.task_file import CellKeys

DocumentSource = Callable[[str, str], Rows]
"""A reader of documents: takes (dataset_name, split) and returns the rows."""

LOCAL_FORMATS = ("json", "csv", "parquet")


def read_documents(cell: CellKeys, split: str, *, sources: Mapping[str, DocumentSource]) -> list[dict[str, Any]]:
    """Read all documents of one split.

    Parameters
    ----------
    cell
        The keys of the task in one language.
    split
        The name of the split in the data set.
    sources
        Further readers of documents by ``dataset_path``.

    Returns
    -------
    list of dict
        Column name to value, one mapping per document.

    Raises
    ------
    InputError
        If the data are missing or cannot be read.
    """
    keys, options = cell.keys, cell.keys.dataset_kwargs
    if keys.dataset_path in sources:
        return sources[keys.dataset_path](keys.dataset_name or "", split)
    if keys.dataset_path in LOCAL_FORMATS:
        rows = _local_rows(cell, split)
        return rows if cell.adapt is None else cell.adapt(rows, split)
    if "/" not in keys.dataset_path:
        known = [*LOCAL_FORMATS, *sources]
        raise InputError(
            f"{cell.where}: dataset_path is '{keys.dataset_path}'{suggestion(keys.dataset_path, known)}; allowed: "
            f"{', '.join(known)}, or a hub ID 'owner/name'"
        )
    files = options.data_files or None
    return hub_documents(keys.dataset_path, keys.dataset_name, split=split, revision=options.revision, data_files=files)


def _local_rows(cell: CellKeys, split: str) -> Rows:
    options = cell.keys.dataset_kwargs
    rows = [
        row
        for path in _files_of(cell, split)
        for row in read_rows(
            path,
            cell.keys.dataset_path,
            separator=options.delimiter or options.sep,
            quoted=options.quoting == 0,
            field=options.field,
            as_text=cell.adapt is not None,
        )
    ]
    columns = dict.fromkeys(name for row in rows for name in row)
    return [{name: row.get(name) for name in columns} for row in rows]


def _files_of(cell: CellKeys, split: str) -> list[Path]:
    given = cell.keys.dataset_kwargs.data_files
    if not given:
        raise InputError(f"{cell.where}: dataset_path '{cell.keys.dataset_path}' needs dataset_kwargs.data_files")
    by_split = given if isinstance(given, dict) else {"train": given}
    if split not in by_split:
        near = suggestion(split, by_split)
        raise InputError(f"{cell.where}: data_files has no split '{split}'{near}; it has {', '.join(by_split)}")
    named = by_split[split]
    files: list[Path] = []
    for name in [named] if isinstance(named, str) else named:
        matching = matching_files(cell.folder, name)
        if not matching:
            raise InputError(f"{cell.where}: data file {cell.folder / name} (split '{split}') does not exist")
        files += matching
    return files
