"""Reads the documents (rows) of one split: from local files, the hub, or a reader that the caller passes in."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from donorgrid.core.errors import InputError, suggestion
from donorgrid.core.literal_files import matching_files
from donorgrid.core.names import check_path
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
    if keys.dataset_path in LOCAL_FORMATS and (options.data_files or not options.data_dir):
        rows = _local_rows(cell, split)
        return rows if cell.adapt is None else cell.adapt(rows, split)
    if keys.dataset_path in LOCAL_FORMATS:
        folder = _folder(cell, options.data_dir or "")
        return hub_documents(keys.dataset_path, keys.dataset_name, split=split, data_dir=str(folder))
    path, local = keys.dataset_path, located(cell.folder, keys.dataset_path)
    if local.is_dir() or path.startswith((".", "/", "~")):
        path = str(_folder(cell, path))
    elif "/" not in path:
        known = [*LOCAL_FORMATS, *sources]
        raise InputError(
            f"{cell.where}: dataset_path is '{path}'{suggestion(path, known)}; allowed: {', '.join(known)}, a folder, "
            "or a hub ID 'owner/name'"
        )
    return hub_documents(
        path,
        keys.dataset_name,
        split=split,
        revision=options.revision,
        data_files=options.data_files or None,
        data_dir=options.data_dir,
    )


def located(folder: Path, name: str) -> Path:
    """Find what a task file names by a relative path.

    Parameters
    ----------
    folder
        The folder of the task file, where the path starts.
    name
        The path.

    Returns
    -------
    Path
        Beneath the folder if it exists there; else beneath the current folder, where lm-eval looks, if it exists there.
    """
    path = folder / name
    return path if path.exists() or not Path(name).exists() else Path(name)


def _folder(cell: CellKeys, name: str) -> Path:
    folder = located(cell.folder, name)
    if not folder.is_dir():
        raise InputError(f"{cell.where}: folder {folder} does not exist")
    return folder


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
    start = cell.folder / (cell.keys.dataset_kwargs.data_dir or "")
    files: list[Path] = []
    for name in [named] if isinstance(named, str) else named:
        check_path(name, what=f"{cell.where}: data file")
        matching = matching_files(start, name) or matching_files(Path(cell.keys.dataset_kwargs.data_dir or ""), name)
        if not matching:
            raise InputError(f"{cell.where}: data file {start / name} (split '{split}') does not exist")
        files += matching
    return files
