"""Atomic files and folders: another process sees each one complete, or not at all."""

import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from donorgrid.core.processes import birth_mark, host_mark

_UNFINISHED = ".unfinished-"


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Gives the body a temporary path to write to, which then replaces ``path`` in one step."""
    unfinished = _unfinished(path)
    try:
        yield unfinished
        _sync(unfinished)
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


@contextmanager
def whole_folder(path: Path) -> Iterator[Path]:
    """Gives the body a temporary folder to fill, which then replaces ``path`` in one step."""
    unfinished = _unfinished(path)
    unfinished.mkdir()
    try:
        yield unfinished
        for file in unfinished.rglob("*"):
            if file.is_file():
                _sync(file)
        remove_folder(path)
        unfinished.rename(path)
    finally:
        if unfinished.exists():
            shutil.rmtree(unfinished)


def make_exclusively(path: Path, text: str) -> bool:
    """Creates a file with its text in one step.

    A hard link to a complete file excludes other creators as O_EXCL does, and no process sees the file empty.

    Parameters
    ----------
    path : Path
        The file to create.
    text : str
        Its content.

    Returns
    -------
    bool
        True if this process created the file, False if it exists already.
    """
    unfinished = _unfinished(path)
    try:
        unfinished.write_text(text, encoding="utf-8")
        os.link(unfinished, path)
    except FileExistsError:
        return False
    finally:
        unfinished.unlink(missing_ok=True)
    return True


def remove_folder(path: Path) -> None:
    """Deletes a folder, which first gets a temporary name; a missing folder is no error."""
    if path.exists():
        previous = _unfinished(path)
        path.rename(previous)
        shutil.rmtree(previous)


def remove_unfinished(root: Path) -> int:
    """Deletes temporary files and folders of this machine's ended processes, and returns how many there were."""
    removed = 0
    # os.walk, unlike rglob, skips folders that another process removes in the meantime.
    for parent, folders, files in os.walk(root):
        for name in (*folders, *files):
            if name.startswith(_UNFINISHED) and _is_abandoned(name):
                path = Path(parent, name)
                shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
                removed += 1
    return removed


def _is_abandoned(name: str) -> bool:
    host, pid, _ = name.rsplit("-", 3)[1:]
    return host == host_mark() and birth_mark(int(pid)) is None


def _unfinished(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    return path.with_name(f"{_UNFINISHED}{path.name}-{host_mark()}-{os.getpid()}-{secrets.token_hex(4)}")


def _sync(path: Path) -> None:
    with path.open("rb") as stream:
        os.fsync(stream.fileno())
