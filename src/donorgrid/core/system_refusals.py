"""What the operating system refuses: a full or read-only disk, a missing right, too little memory. One line each."""

import errno
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from donorgrid.core.errors import SystemRefusal

UNFINISHED = ".unfinished-"
"""What the names of temporary files begin with; a message names the file that they would have become."""

_OS_ERROR_OF_RUST = re.compile(r"\(os error (\d+)\)")
_OS_ERROR_OF_SHUTIL = re.compile(r"\[Errno (\d+)\]")
_NO_MEMORY = re.compile(r"out of memory|allocate memory|can't start new thread|could not create a primitive", re.I)


def system_refusal(error: BaseException, path: Path | None = None) -> SystemRefusal | None:
    """The refusal of the operating system that an exception reports.

    Parameters
    ----------
    error : BaseException
        Any exception. Libraries in Rust (Polars, safetensors) report a refusal as an error of their own, with
        ``(os error 28)`` in its text.
    path : Path, optional
        The file or folder in question, where the exception names none.

    Returns
    -------
    SystemRefusal or None
        None if the exception reports something else.
    """
    if isinstance(error, SystemRefusal):
        return error
    by_rust = _OS_ERROR_OF_RUST.search(str(error))
    if by_rust is not None:
        cause = os.strerror(int(by_rust[1]))
    elif isinstance(error, OSError):
        among_many = _OS_ERROR_OF_SHUTIL.search(str(error)) if error.errno is None else None
        cause = os.strerror(int(among_many[1])) if among_many else error.strerror or _first_line(error)
    else:
        return SystemRefusal(f"too little memory: {_first_line(error)}") if is_memory_shortage(error) else None
    named = getattr(error, "filename", None)
    where = path if named is None or (path is not None and UNFINISHED in _text(named)) else named
    return SystemRefusal(cause if where is None else f"{_text(where)}: {cause}")


def is_memory_shortage(error: BaseException) -> bool:
    """True if an exception says that this machine, or its GPU, has too little memory."""
    if isinstance(error, MemoryError) or (isinstance(error, OSError) and error.errno == errno.ENOMEM):
        return True
    return isinstance(error, RuntimeError | ImportError) and _NO_MEMORY.search(str(error)) is not None


@contextmanager
def refusals_named(path: Path) -> Iterator[None]:
    """A refusal of files in the body is raised as a SystemRefusal that names ``path``, or the file that it names."""
    try:
        yield
    except Exception as error:
        refusal = None if is_memory_shortage(error) else system_refusal(error, path)
        if refusal is None or isinstance(error, SystemRefusal):
            raise
        raise refusal from error


def _first_line(error: BaseException) -> str:
    return next(iter(str(error).splitlines()), type(error).__name__)


def _text(path: object) -> str:
    return os.fsdecode(path) if isinstance(path, bytes | str | os.PathLike) else str(path)
