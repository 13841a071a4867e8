"""Atomic files and folders: another process sees each one complete, or not at all."""

import errno
import os
import re
import secrets
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from donorgrid.core.errors import InputError, SystemRefusal
from donorgrid.core.processes import birth_mark, host_mark
from donorgrid.core.system_refusals import UNFINISHED, refusals_named

_TEMPORARY_NAME = re.compile(
    rf"{re.escape(UNFINISHED)}.*-(?P<host>[0-9a-f]{{8}})-(?P<pid>\d{{1,9}})-[0-9a-f]{{8}}", re.DOTALL
)
_LONGEST_PART = 40
"""So many characters of a file's name become part of its temporary name, which must not get too long itself."""


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Gives the body a temporary path to write to, which then replaces ``path`` in one step.

    Raises SystemRefusal where the operating system refuses or ``path`` is a device, InputError if it is a folder.
    """
    with refusals_named(path):
        if path.exists() and not path.is_file():
            raise _in_the_way(path, "it is a folder" if path.is_dir() else "it is no regular file")
        unfinished = _unfinished(path)
        try:
            yield unfinished
            _sync(unfinished)
            unfinished.replace(path)
        finally:
            unfinished.unlink(missing_ok=True)


@contextmanager
def whole_folder(path: Path, *, keep: Callable[[Path], bool] = lambda _: False) -> Iterator[Path]:
    """Gives the body a temporary folder to fill, which then replaces ``path``; nobody sees it half full.

    Parameters
    ----------
    path : Path
        The folder.
    keep : callable
        Says whether an existing folder of that name stays, and the new one is dropped. Called again after the former
        folder was moved aside, since another process may have put its own there meanwhile.

    Yields
    ------
    Path
        The temporary folder.

    Raises
    ------
    SystemRefusal
        If the operating system refuses, or ``path`` is a device.
    InputError
        If ``path`` is a file.
    """
    with refusals_named(path):
        if path.exists() and not path.is_dir():
            raise _in_the_way(path, "it is no folder")
        unfinished = _unfinished(path)
        unfinished.mkdir()
        try:
            yield unfinished
            for file in unfinished.rglob("*"):
                if file.is_file():
                    _sync(file)
            while not move_in(unfinished, path) and not keep(path):
                remove_folder(path, keep=keep)
        finally:
            if unfinished.exists():
                shutil.rmtree(unfinished)


def move_in(folder: Path, path: Path) -> bool:
    """Gives a folder its final name in one step, unless something lies there already.

    Parameters
    ----------
    folder : Path
        The folder, on the same disk.
    path : Path
        Its new path.

    Returns
    -------
    bool
        False if a folder that is not empty has the name.
    """
    try:
        folder.rename(path)
    except OSError as error:
        if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
            raise
        return False
    return True


def make_folder(path: Path) -> None:
    """Makes a folder and those above it. InputError if a file has its name, SystemRefusal if the system refuses."""
    with refusals_named(path):
        try:
            path.mkdir(parents=True, exist_ok=True)
        except (FileExistsError, NotADirectoryError) as error:
            part = next((part for part in (path, *path.parents) if _is_other_than_folder(part)), path)
            raise _in_the_way(part, "it is no folder") from error


def _in_the_way(path: Path, what: str) -> InputError | SystemRefusal:
    """A file or folder under another's name is input; a device is what the system refuses to replace."""
    is_device = not (path.is_file() or path.is_dir())
    return (SystemRefusal if is_device else InputError)(f"{path}: {what}")


def _is_other_than_folder(path: Path) -> bool:
    try:
        return path.exists() and not path.is_dir()
    except NotADirectoryError:
        return False


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
    with refusals_named(path):
        unfinished = _unfinished(path)
        try:
            unfinished.write_text(text, encoding="utf-8")
            os.link(unfinished, path)
        except FileExistsError:
            return False
        finally:
            unfinished.unlink(missing_ok=True)
    return True


def remove_folder(path: Path, *, keep: Callable[[Path], bool] = lambda _: False) -> None:
    """Deletes a folder, which first gets a temporary name; a missing folder is no error.

    Parameters
    ----------
    path : Path
        The folder.
    keep : callable
        Whether the folder, once it has its temporary name, is given back its own.
    """
    previous = _unfinished(path)
    try:
        path.rename(previous)
    except FileNotFoundError:
        return
    if not (keep(previous) and move_in(previous, path)):
        shutil.rmtree(previous)


def remove_unfinished(root: Path) -> int:
    """Deletes temporary files and folders of this machine's ended processes, and returns how many there were.

    A link is deleted and not followed. What has another form of name is not ours and stays.
    """
    removed = 0
    # os.walk, unlike rglob, skips folders that another process removes in the meantime.
    for parent, folders, files in os.walk(root):
        for name in (*folders, *files):
            if _is_abandoned(name):
                path = Path(parent, name)
                if path.is_dir() and not path.is_symlink():
                    shutil.rmtree(path, ignore_errors=True)
                else:
                    path.unlink(missing_ok=True)
                removed += 1
        folders[:] = [name for name in folders if not name.startswith(UNFINISHED)]
    return removed


def _is_abandoned(name: str) -> bool:
    parts = _TEMPORARY_NAME.fullmatch(name)
    return parts is not None and parts["host"] == host_mark() and birth_mark(int(parts["pid"])) is None


def _unfinished(path: Path) -> Path:
    make_folder(path.parent)
    part = path.name[:_LONGEST_PART]
    return path.with_name(f"{UNFINISHED}{part}-{host_mark()}-{os.getpid()}-{secrets.token_hex(4)}")


def _sync(path: Path) -> None:
    with path.open("rb") as stream:
        os.fsync(stream.fileno())
