"""Tensor shapes from the header of a safetensors file: no tensor is read, and no package is needed."""

import json
from pathlib import Path
from typing import Any

from donorgrid.core.errors import InputError

_LENGTH_BYTES = 8


def tensor_shapes(file: Path, *, whole: bool = False) -> dict[str, tuple[int, ...]]:
    """The shape of every tensor in a safetensors file.

    Parameters
    ----------
    file
        A ``*.safetensors`` file.
    whole
        Also compare the size of the file with what the header says.

    Returns
    -------
    dict
        Shapes by tensor name, in the order of the header.

    Raises
    ------
    InputError
        The header cannot be read, or (with ``whole``) the file is shorter than its header says.

    References
    ----------
    The safetensors format: https://huggingface.co/docs/safetensors (an 8-byte length, a JSON header, the data).
    """
    try:
        header, start = _read_header(file)
        shapes = {name: tuple(map(_size, entry["shape"])) for name, entry in header.items()}
        end = start + max((_size(entry["data_offsets"][1]) for entry in header.values()), default=0) if whole else 0
    except (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        raise InputError(f"{file}: no whole safetensors file: {error}") from error
    if file.stat().st_size < end:
        raise InputError(f"{file}: no whole safetensors file: it ends before its last tensor")
    return shapes


def _size(value: Any) -> int:
    if not isinstance(value, int) or not 0 <= value < 2**63:
        raise ValueError(f"a size is {str(value)[:40]}; expected a whole number")
    return value


def _read_header(file: Path) -> tuple[dict[str, Any], int]:
    """The header's entries by tensor name, and the offset (bytes) at which the data begins."""
    with file.open("rb") as stream:
        length = int.from_bytes(stream.read(_LENGTH_BYTES), "little")
        if length > file.stat().st_size:
            raise ValueError("its header is longer than the file")
        header: dict[str, Any] = json.loads(stream.read(length))
    header.pop("__metadata__", None)
    return header, _LENGTH_BYTES + length
