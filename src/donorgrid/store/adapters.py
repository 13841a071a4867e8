"""Adapters on disk: folders that say which training they are the result of.

An adapter lies in PEFT's format; what a full fine-tuning gives is a whole checkpoint in transformers' format.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from donorgrid.core.atomic_files import remove_folder, whole_folder
from donorgrid.core.errors import StoreError
from donorgrid.models.adapter_files import content_digest

_STAMP = "donorgrid.json"


@dataclass(frozen=True, kw_only=True)
class Stamp:
    """What an adapter folder is.

    Attributes
    ----------
    training_key : str
        The key of its training.
    digest : str
        The digest of its content.
    computed_by : tuple of str
        The ways that computed the training, such as a kernel; empty in older folders.
    """

    training_key: str
    digest: str
    computed_by: tuple[str, ...] = ()


def read_stamp(path: Path, *, check_content: bool = True) -> Stamp | None:
    """The stamp of an adapter folder.

    Parameters
    ----------
    path : Path
        The folder.
    check_content : bool
        Whether the content is compared with the stamp's digest.

    Returns
    -------
    Stamp or None
        None when there is no folder.

    Raises
    ------
    StoreError
        If the folder is not whole, or its content is not what was stamped.
    """
    if not path.exists():
        return None
    try:
        content = json.loads((path / _STAMP).read_text(encoding="utf-8"))
        stamp = Stamp(**{**content, "computed_by": tuple(content.get("computed_by", ()))})
        whole = not check_content or stamp.digest == content_digest(path)
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError, ValueError, TypeError, AttributeError) as error:
        reason = next(iter(str(error).splitlines()), type(error).__name__)
        raise StoreError(f"{path}: not a whole adapter folder ({reason}); delete it and run again") from error
    if not whole:
        raise StoreError(f"{path}: the adapter is not the one that was trained there; delete it and run again")
    return stamp


def write_adapter(
    path: Path, training_key: str, save: Callable[[Path], None], *, computed_by: tuple[str, ...] = ()
) -> Stamp:
    """Write an adapter folder whole, unless a finished one of the same training lies there: that one stays.

    A process that slept through its lease thus never replaces what another process has finished meanwhile.

    Parameters
    ----------
    path : Path
        The folder; that of another training, or a damaged one, is replaced.
    training_key : str
        The key of its training.
    save : callable
        Writes the adapter's files and the train log into the folder that it receives.
    computed_by : tuple of str
        The ways that computed the training.

    Returns
    -------
    Stamp
        The stamp of the adapter that lies there now.
    """
    with whole_folder(path, keep=lambda folder: _is_finished(folder, training_key)) as unfinished:
        save(unfinished)
        stamp = Stamp(training_key=training_key, digest=content_digest(unfinished), computed_by=computed_by)
        (unfinished / _STAMP).write_text(json.dumps(stamp.__dict__, indent=2) + "\n", encoding="utf-8")
    return read_stamp(path, check_content=False) or stamp


def drop_adapter(path: Path) -> None:
    """Delete an adapter that the study does not keep."""
    remove_folder(path)


def _is_finished(path: Path, training_key: str) -> bool:
    """True if a folder holds the whole adapter of a training."""
    try:
        stamp = read_stamp(path)
    except StoreError:
        return False
    return stamp is not None and stamp.training_key == training_key
