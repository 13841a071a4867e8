"""Item answers: one Parquet file per subject, written whole; its footer says which work it is the result of.

The footer holds the SHA-256 of the file, taken while 64 zeros stand in its place. A file is checked before it is read.
"""

import hashlib
import io
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import polars as pl

from donorgrid.core.atomic_files import whole_file
from donorgrid.core.digests import canonical_json, digest_of
from donorgrid.core.errors import InputError, StoreError
from donorgrid.core.literal_files import read_parquet, read_parquet_footer
from donorgrid.core.records import Cell
from donorgrid.core.system_refusals import refusals_named
from donorgrid.core.tables import ITEM_ANSWERS

_FOOTER = "donorgrid"
_FILE_DIGEST, _FOOTER_DIGEST = "file_sha256", "footer_sha256"
_ZEROS = "0" * 64
_BROKEN = (pl.exceptions.PolarsError, pl.exceptions.PanicException, KeyError, TypeError, ValueError)
"""What Polars and the reading of the footer raise for a damaged file."""


@dataclass(frozen=True, kw_only=True)
class AnswersFooter:
    """What a file of item answers is the result of.

    ``training_key`` and ``adapter_digest`` are None where nothing was trained, ``examples_key`` where no examples were
    shown. ``scoring_keys`` maps ``task/language`` to the key of the scoring that gave these rows. ``subject`` names who
    answered; files without a checksum, of the first version of donorgrid, name nobody. ``computed_by`` and
    ``trained_by`` name the ways that computed the answers and the training, such as a kernel; empty in older files.
    """

    training_key: str | None
    adapter_digest: str | None
    scoring_keys: dict[str, str]
    examples_key: str | None = None
    subject: str | None = None
    computed_by: tuple[str, ...] = ()
    trained_by: tuple[str, ...] = ()


def read_footer(path: Path) -> AnswersFooter | None:
    """The footer of a file of item answers, checked against its own digest; None when there is no such file.

    Raises StoreError if the footer is damaged. The rows are checked by ``read_answers`` and ``check_file``.
    """
    if not path.exists():
        return None
    try:
        with refusals_named(path):
            return _footer_in(read_parquet_footer(path))
    except _BROKEN as error:
        raise _damaged(path, error) from error


def check_file(path: Path) -> None:
    """Checks every bit of a file of item answers. Raises StoreError if it is damaged, or not whole."""
    read_answers(path)


def read_answers(path: Path, targets: tuple[Cell, ...] | None = None) -> pl.DataFrame:
    """The item answers in a file.

    Parameters
    ----------
    path : Path
        The file.
    targets : tuple of Cell, optional
        Only these targets; the default is all.

    Returns
    -------
    pl.DataFrame
        As ``ITEM_ANSWERS`` declares.

    Raises
    ------
    StoreError
        If the file is damaged: one changed bit is enough.
    """
    with refusals_named(path):
        content = path.read_bytes()
    try:
        digest = _digest_in(content)
        if digest is not None and digest != _digest_of_rest(content, digest):
            raise ValueError("its checksum is another")
        if digest is None:  # a file of the first version, or one whose footer is damaged where the digest was
            read_footer(path)
        frame = read_parquet(content)
        if targets is not None:
            wanted = [str(cell) for cell in targets]
            frame = frame.filter(pl.concat_str("target_task", "target_language", separator="/").is_in(wanted))
        return ITEM_ANSWERS.check(frame)
    except (*_BROKEN, InputError) as error:
        raise _damaged(path, error) from error


def write_answers(path: Path, frame: pl.DataFrame, footer: AnswersFooter) -> None:
    """Write item answers and their footer whole, replacing a former file. Equal input gives equal bytes.

    Parameters
    ----------
    path : Path
        The file.
    frame : pl.DataFrame
        As ``ITEM_ANSWERS`` declares.
    footer : AnswersFooter
        The keys of the work that gave these answers.
    """
    content = asdict(footer)
    content |= {_FOOTER_DIGEST: digest_of(content), _FILE_DIGEST: _ZEROS}
    with whole_file(path) as unfinished:
        stream = io.BytesIO()
        metadata = {_FOOTER: canonical_json(content)}
        ITEM_ANSWERS.check(frame).write_parquet(stream, compression="zstd", metadata=metadata)
        unfinished.write_bytes(_with_digest(stream.getvalue()))


def _footer_in(metadata: Mapping[str, str]) -> AnswersFooter:
    content = json.loads(metadata[_FOOTER])
    content.pop(_FILE_DIGEST, None)
    digest = content.pop(_FOOTER_DIGEST, None)
    if digest is not None and digest != digest_of(content):
        raise ValueError("the checksum of its footer is another")
    ways = {name: tuple(content.get(name, ())) for name in ("computed_by", "trained_by")}
    return AnswersFooter(**{**content, **ways})


def _mark(digest: str) -> bytes:
    return f'"{_FILE_DIGEST}":"{digest}"'.encode()


def _with_digest(content: bytes) -> bytes:
    return content.replace(_mark(_ZEROS), _mark(hashlib.sha256(content).hexdigest()))


def _digest_in(content: bytes) -> str | None:
    """The digest in the footer; None in a file that was written without one."""
    start = content.rfind(_mark("")[:-1])
    if start < 0:
        return None
    begin = start + len(_mark("")) - 1
    return content[begin : begin + len(_ZEROS)].decode("ascii", errors="replace")


def _digest_of_rest(content: bytes, digest: str) -> str:
    return hashlib.sha256(content.replace(_mark(digest), _mark(_ZEROS))).hexdigest()


def _damaged(path: Path, error: BaseException) -> StoreError:
    reason = next(iter(str(error).splitlines()), type(error).__name__)
    return StoreError(f"{path}: no whole file of item answers ({reason}); 'donorgrid run' gives them again")
