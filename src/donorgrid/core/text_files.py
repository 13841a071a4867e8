"""Text files of others: UTF-8, or one line that says where they are not."""

from donorgrid.core.errors import InputError

_MARKS = {b"\xff\xfe": "UTF-16", b"\xfe\xff": "UTF-16"}


def check_utf8(content: bytes, *, what: str) -> None:
    """InputError when the bytes are not UTF-8: which byte, in which line, and what to do."""
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
