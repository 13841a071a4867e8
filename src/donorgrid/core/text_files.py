"""Checks that a text file is UTF-8."""

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
