"""The format of a data file by its name, and its content, decompressed."""

import bz2
import gzip
import lzma
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from donorgrid.core.errors import InputError
from donorgrid.core.extras import require_training

FORMATS = {".json": "json", ".jsonl": "json", ".ndjson": "json", ".csv": "csv", ".tsv": "csv", ".parquet": "parquet"}
LARGEST_CONTENT = 2**32
"""The largest decompressed content of a file, in bytes."""


def _zstd_stream(path: Path) -> Any:
    require_training(f"data file {path} (zstd)")
    import pyarrow  # noqa: PLC0415  (heavy, and only needed here)

    return pyarrow.input_stream(str(path), compression="zstd")


_OPENERS: dict[str, tuple[bytes, Callable[[Path], Any]]] = {
    ".gz": (b"\x1f\x8b", gzip.open),
    ".bz2": (b"BZh", bz2.open),
    ".xz": (b"\xfd7zXZ\x00", lzma.open),
    ".zst": (b"\x28\xb5\x2f\xfd", _zstd_stream),
}
_OTHER_ARCHIVES = {b"PK\x03\x04": "a ZIP archive", b"\x04\x22\x4d\x18": "an LZ4 file", b"7z\xbc\xaf": "a 7z archive"}


def data_suffix(path: Path) -> str:
    """Returns the suffix that tells the format: ``.jsonl`` of ``quiz.jsonl`` and of ``quiz.jsonl.gz``."""
    return Path(path.stem).suffix if path.suffix in _OPENERS else path.suffix


def is_data_file(path: Path) -> bool:
    """True if the name of a file says that it is a data file, compressed or not."""
    return data_suffix(path) in FORMATS


def read_content(path: Path) -> bytes:
    """Read a file, and decompress it if its first bytes say that it is compressed.

    Parameters
    ----------
    path
        The file.

    Returns
    -------
    bytes

    Raises
    ------
    InputError
        If it is damaged, too large when decompressed, or an archive of another kind.
    OSError
        If it cannot be opened.
    """
    content = path.read_bytes()
    for magic, name in _OTHER_ARCHIVES.items():
        if content.startswith(magic):
            raise InputError(f"data file {path}: it is {name}; allowed: plain files, and {', '.join(_OPENERS)}")
    opener = next((opener for magic, opener in _OPENERS.values() if content.startswith(magic)), None)
    if opener is None:
        return content
    try:
        with opener(path) as stream:
            decompressed: bytes = stream.read(LARGEST_CONTENT + 1)
    except (EOFError, OSError, zlib.error, lzma.LZMAError) as error:
        raise InputError(f"data file {path}: the compressed content is damaged: {error}") from error
    if len(decompressed) > LARGEST_CONTENT:
        raise InputError(f"data file {path}: it is larger than {LARGEST_CONTENT >> 30} GiB when decompressed")
    return decompressed
