"""Checks that a file is one, and that its text is UTF-8."""

import stat
from pathlib import Path

from donorgrid.core.errors import InputError

_MARKS = {b"\xff\xfe": "UTF-16", b"\xfe\xff": "UTF-16"}


def check_utf8(content: bytes, *, what: str) -> None:
    """Checks that bytes are UTF-8.

    Parameters
    ----------
    content : bytes
        The content of a file.
    what : str
        The file's name, for the message.

    Raises
    ------
    InputError
        If they are not; the message names the line and the byte.
    """
    for mark, encoding in _MARKS.items():
        if content.startswith(mark):
            raise InputError(f"{what}: it is written in {encoding}; save it as UTF-8")
    try:
        content.decode("utf-8")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise InputError(
            f"{what}: line {line} is not UTF-8 (byte 0x{content[error.start]:02x}); save the file as UTF-8"
        ) from None


def refuse_devices(path: Path) -> None:
    """Raises InputError for a device such as ``/dev/zero``, which may never end. Files, links and pipes pass."""
    try:
        mode = path.stat().st_mode
    except (OSError, ValueError):
        return  # whoever opens the file says what is wrong
    if stat.S_ISCHR(mode) or stat.S_ISBLK(mode):
        raise InputError(f"{path}: it is a device, not a file")
