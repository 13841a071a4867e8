"""Reads documents of the Hugging Face hub; one line says if a data set is missing, gated or out of reach."""

from typing import Any

from donorgrid.core.errors import InputError
from donorgrid.core.extras import require_training


def hub_documents(
    path: str,
    name: str | None,
    *,
    split: str,
    revision: str | None = None,
    data_files: Any = None,
    data_dir: str | None = None,
) -> list[dict[str, Any]]:
    """Read one split of a hub data set, of its local cache, or of a folder on disk.

    Parameters
    ----------
    path
        The hub ID, ``owner/name``; a folder; or the format of the files in ``data_dir``.
    name
        The configuration of the data set, or None.
    split
        The split.
    revision
        A commit, tag or branch; None for the newest.
    data_files
        The files to read, as ``datasets.load_dataset`` takes them.
    data_dir
        The folder, in the data set or on disk, that has the files.

    Returns
    -------
    list of dict
        Column name to value, one mapping per document.

    Raises
    ------
    InputError
        If the data set does not exist, is gated, or cannot be read, or the package datasets is not installed.
    """
    require_training(f"data set '{path}'")
    import datasets  # noqa: PLC0415  (heavy, and only needed here)

    datasets.disable_progress_bars()
    within = {} if data_dir is None else {"data_dir": data_dir}
    wanted = f"data set '{path}'" + (f" ({name})" if name else "")
    try:
        rows = datasets.load_dataset(path, name, split=split, revision=revision, data_files=data_files, **within)
    except datasets.exceptions.DatasetNotFoundError as error:
        gated = "gated" in str(error)
        hint = "it is gated: accept its terms on the hub and set HF_TOKEN" if gated else "no such data set on the hub"
        raise InputError(f"{wanted}: {hint}; allowed: a hub ID you may read, or json, csv, parquet") from error
    except (OSError, ValueError, RuntimeError, datasets.exceptions.DatasetsError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise InputError(f"{wanted}, split '{split}': cannot be read: {reason}") from error
    return [dict(row) for row in rows]
