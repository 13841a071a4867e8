"""The released table of nine models as knowledge: fetched once, checked by its digest, kept in a cache folder."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from donorgrid.core.atomic_files import make_folder, whole_file
from donorgrid.core.errors import InputError
from donorgrid.core.tables import parse_table
from donorgrid.exchange.tables.files import download

CACHE = Path("~/.cache/donorgrid/knowledge")
_DELTA = "delta_score_norm_mean"
_TOLERANCE = 1e-9


@dataclass(frozen=True, kw_only=True)
class ReleasedTable:
    """A table that others released on GitHub.

    Attributes
    ----------
    repository, commit, path : str
        Where it lies; the commit fixes its content.
    n_rows : int
        Its rows.
    mean_pp : float
        The mean delta of its transfer rows, as its authors report it.
    licence : str
        Licence and source, as they must be named.
    """

    repository: str
    commit: str
    path: str
    n_rows: int
    mean_pp: float
    licence: str

    @property
    def address(self) -> str:
        """The raw file."""
        return f"https://raw.githubusercontent.com/{self.repository}/{self.commit}/{self.path}"

    @property
    def listing(self) -> str:
        """GitHub's listing of the file's folder at that commit, with the digest that git has of each file."""
        folder = self.path.rpartition("/")[0]
        return f"https://api.github.com/repos/{self.repository}/contents/{folder}?ref={self.commit}"


TABLES = {
    "release": ReleasedTable(
        repository="kdymkiewicz/Donors-and-Recipients",
        commit="5869b712a7ad6211b6dbdd47a78d48e6cf6b92bd",
        path="results/transfer_results.csv",
        n_rows=17424,
        mean_pp=0.8935821392216741,
        licence="CC BY 4.0; Dymkiewicz et al., 'Donors and Recipients' (arXiv 2511.13368)",
    )
}
"""By the name that ``fetch-knowledge`` and ``--knowledge`` take."""


def fetch_knowledge(name: str, *, fetch: Callable[[str], bytes] = download) -> Path:
    """Bring a released table into the cache folder.

    Parameters
    ----------
    name : str
        A name of ``TABLES``.
    fetch : callable
        From an address to its bytes. InputError where it cannot be reached.

    Returns
    -------
    Path
        The file. One that is there already and whole is not fetched again; one that a user put there is checked.

    Raises
    ------
    InputError
        For an unknown name, without a network, or if what came is not the released table.
    """
    table, file = _table(name), cached_file(name)
    if file.exists():
        _check_content(table, file.read_bytes(), what=str(file))
        _record(file)
        return file
    try:
        content = fetch(table.address)
        listed = fetch(table.listing)
    except InputError as error:
        raise InputError(f"{error}; offline: put {table.path} of github.com/{table.repository} at {file}") from error
    if _git_digest(content) != _listed_digest(table, listed):
        raise InputError(f"{table.address}: its digest is not the one that GitHub lists; nothing was kept")
    _check_content(table, content, what=table.address)
    make_folder(file.parent)
    with whole_file(file) as unfinished:
        unfinished.write_bytes(content)
    _record(file)
    return file


def cached_file(name: str) -> Path:
    """Returns where a released table is kept."""
    return CACHE.expanduser() / f"{name}.csv"


def knowledge_path(given: Path) -> Path:
    """The file that ``--knowledge`` names: a path, or the name of a released table that was fetched.

    Raises InputError if it was not fetched, or if the kept file is no longer what was fetched.
    """
    name = str(given)
    if name not in TABLES or given.exists():
        return given
    file = cached_file(name)
    if not file.is_file():
        raise InputError(f"--knowledge {name}: it is not there yet; 'donorgrid fetch-knowledge {name}' brings it")
    digest = _digest_file(file)
    if not digest.is_file() or digest.read_text(encoding="utf-8").strip() != _sha256(file):
        raise InputError(
            f"{file}: it was not checked, or was changed since; 'donorgrid fetch-knowledge {name}' checks it"
        )
    return file


def _table(name: str) -> ReleasedTable:
    if name not in TABLES:
        raise InputError(f"fetch-knowledge '{name}': allowed are {', '.join(TABLES)}")
    return TABLES[name]


def _git_digest(content: bytes) -> str:
    """The digest by which git names a file's content."""
    return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()


def _listed_digest(table: ReleasedTable, listed: bytes) -> str:
    try:
        return next(str(entry["sha"]) for entry in json.loads(listed) if entry["path"] == table.path)
    except (ValueError, TypeError, KeyError, StopIteration) as error:
        raise InputError(f"{table.listing}: no listing that names {table.path}") from error


def _check_content(table: ReleasedTable, content: bytes, *, what: str) -> None:
    """Checks that a file is the released table, by its rows and its mean."""
    frame = parse_table(content, suffix=".csv", what=what)
    missing = [name for name in (_DELTA, "regime") if name not in frame.columns]
    if missing or frame.height != table.n_rows:
        lacks = f" without a column {missing[0]}" if missing else ""
        raise InputError(f"{what}: not the released table: {frame.height:,} rows{lacks}, expected {table.n_rows:,}")
    mean = float(frame.filter(pl.col("regime") != "MT-ML")[_DELTA].cast(pl.Float64, strict=False).to_numpy().mean())
    if not abs(mean - table.mean_pp) <= _TOLERANCE:
        raise InputError(
            f"{what}: not the released table: its mean transfer is {mean:.10f}, not {table.mean_pp:.10f} pp"
        )


def _record(file: Path) -> None:
    with whole_file(_digest_file(file)) as unfinished:
        unfinished.write_text(_sha256(file) + "\n", encoding="utf-8")


def _digest_file(file: Path) -> Path:
    return file.with_suffix(".sha256")


def _sha256(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
