"""Item answers: one Parquet file per subject, written whole; its footer says which work it is the result of."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

import polars as pl

from donorgrid.core.atomic_files import whole_file
from donorgrid.core.digests import canonical_json
from donorgrid.core.errors import InputError, StoreError
from donorgrid.core.literal_files import read_parquet, read_parquet_footer
from donorgrid.core.records import Cell
from donorgrid.core.tables import ITEM_ANSWERS

_FOOTER = "donorgrid"


@dataclass(frozen=True, kw_only=True)
class AnswersFooter:
    """What a file of item answers is the result of.

    ``training_key`` and ``adapter_digest`` are None where nothing was trained, ``examples_key`` where no examples were
    shown. ``scoring_keys`` maps ``task/language`` to the key of the scoring that gave these rows.
    """

    training_key: str | None
    adapter_digest: str | None
    scoring_keys: dict[str, str]
    examples_key: str | None = None


def read_footer(path: Path) -> AnswersFooter | None:
    """The footer of a file of item answers; None when there is no such file."""
    if not path.exists():
        return None
    try:
        return AnswersFooter(**json.loads(read_parquet_footer(path)[_FOOTER]))
    except (pl.exceptions.PolarsError, KeyError, TypeError, json.JSONDecodeError) as error:
        raise StoreError(f"{path}: not a whole file of item answers ({error}); delete it and run again") from error


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
        If the file is not whole.
    """
    try:
        frame = read_parquet(path)
        if targets is not None:
            wanted = [str(cell) for cell in targets]
            frame = frame.filter(pl.concat_str("target_task", "target_language", separator="/").is_in(wanted))
        return ITEM_ANSWERS.check(frame)
    except (pl.exceptions.PolarsError, InputError) as error:
        raise StoreError(f"{path}: not a whole file of item answers ({error}); delete it and run again") from error


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
    with whole_file(path) as unfinished:
        metadata = {_FOOTER: canonical_json(asdict(footer))}
        ITEM_ANSWERS.check(frame).write_parquet(unfinished, compression="zstd", metadata=metadata)
