"""Claims: how processes and machines that share a study folder split the work without a server.

A claim is a file made exclusively, so that exactly one process gets it, kept fresh by a heartbeat. A claim is dead when
its process is gone (same machine) or its heartbeat is older than the lease. Taking over a dead claim means making the
NEXT generation of it, again exclusively: two processes that see the same dead claim cannot both win, which they could
if one deleted a file that the other had just made.
"""

import json
import os
import re
import threading
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from donorgrid.core.atomic_files import make_exclusively
from donorgrid.core.names import StudyFolder
from donorgrid.core.processes import birth_mark, host_mark

_GENERATION = re.compile(r"\.\d{1,9}")
LEASE_S = 600.0
HEARTBEAT_S = 20.0


@dataclass(frozen=True, kw_only=True)
class Claim:
    """A piece of work that this process holds."""

    key: str
    path: Path

    def still_ours(self) -> bool:
        """False once another process has taken the work over (this one slept through its lease)."""
        newest = _newest(self.path.parent, self.key)
        return newest is not None and newest == self.path

    def release(self) -> None:
        """Give the claim back, older generations first, so that the newest stands until the end."""
        for path in _generations(self.path.parent, self.key):
            if _number(path) <= _number(self.path) and _is_claim(path):
                path.unlink(missing_ok=True)


def try_claim(folder: StudyFolder, key: str, *, lease_s: float = LEASE_S) -> Claim | None:
    """Claim a piece of work.

    Check AFTER claiming whether the work is done: another process may have finished it a moment before.

    Parameters
    ----------
    folder : StudyFolder
        The study's folder.
    key : str
        The key of the work.
    lease_s : float
        After so many seconds without a heartbeat a claim is dead.

    Returns
    -------
    Claim or None
        None when a living process holds it.
    """
    newest = _newest(folder.claims, key)
    if newest is not None and _is_alive(newest, lease_s):
        return None
    path = folder.claim(key, 0 if newest is None else _number(newest) + 1)
    holder = {"host": host_mark(), "pid": os.getpid(), "born": birth_mark(os.getpid())}
    return Claim(key=key, path=path) if make_exclusively(path, json.dumps(holder)) else None


def remove_dead_claims(folder: StudyFolder, *, open_keys: Collection[str]) -> None:
    """Delete the claims that dead processes left on finished work. Open work is taken over instead.

    Parameters
    ----------
    folder : StudyFolder
        The study's folder.
    open_keys : collection of str
        The claim keys of open work.
    """
    for path in sorted(folder.claims.glob("*.*")):
        if path.stem not in open_keys and _is_claim(path) and not _is_alive(path, LEASE_S):
            path.unlink(missing_ok=True)


def foreign_files(folder: StudyFolder) -> list[Path]:
    """What lies among the claims and is none; it is left where it is."""
    return sorted(path for path in folder.claims.glob("*") if not _is_claim(path) and not path.name.startswith("."))


@contextmanager
def heartbeat(claim: Claim, *, every_s: float = HEARTBEAT_S) -> Iterator[None]:
    """Keep a claim fresh while the body runs.

    Parameters
    ----------
    claim : Claim
        A claim of this process.
    every_s : float
        Seconds between two heartbeats.

    Yields
    ------
    None
    """
    stop = threading.Event()

    def beat() -> None:
        while not stop.wait(every_s):
            if not claim.path.exists():
                return
            with suppress(OSError):  # a beat that is missed is made up for by the next one
                os.utime(claim.path)

    thread = threading.Thread(target=beat, daemon=True, name="claim heartbeat")
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def _is_alive(path: Path, lease_s: float) -> bool:
    """False also for a damaged claim: a claim appears with its whole text, so a living process holds none."""
    try:
        fresh = time.time() - path.stat().st_mtime < lease_s
        holder = json.loads(path.read_text(encoding="utf-8"))
        pid, born = int(holder["pid"]), holder["born"]
        here = holder["host"] == host_mark()
        return fresh and (not here or birth_mark(pid) == born)
    except (FileNotFoundError, IsADirectoryError, ValueError, KeyError, TypeError):
        return False


def _generations(claims: Path, key: str) -> list[Path]:
    return sorted((path for path in claims.glob(f"{key}.*") if _GENERATION.fullmatch(path.suffix)), key=_number)


def _is_claim(path: Path) -> bool:
    return _GENERATION.fullmatch(path.suffix) is not None and not path.is_dir()


def _newest(claims: Path, key: str) -> Path | None:
    generations = _generations(claims, key)
    return generations[-1] if generations else None


def _number(path: Path) -> int:
    return int(path.suffix[1:])
