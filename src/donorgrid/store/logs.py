"""What a study's processes note beside the results: failures and the manifest, one file per process."""

import json
import os
import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from donorgrid.core.atomic_files import make_folder, whole_file
from donorgrid.core.digests import canonical_json
from donorgrid.core.names import StudyFolder
from donorgrid.core.processes import birth_mark, host_mark
from donorgrid.core.system_refusals import refusals_named


@dataclass(frozen=True, kw_only=True)
class Failure:
    """One subject whose work failed: its key, what it is (a baseline has no source, recipe, seed), and why.

    ``passing`` is true where the reason was not the work's own, such as too little memory: a later run tries it again.
    """

    key: str
    model: str
    source: str | None
    recipe: str | None
    train_seed: int | None
    reason: str
    checkpoint: float | None = None
    strength: float | None = None
    passing: bool = False


_PASSING = re.compile(r"out of memory|allocate memory|No space left|device string|CUDA error|No module named")
_FAILURE = TypeAdapter(Failure)


def process_name() -> str:
    """A name for this process that no other has, now or later, on any machine of the study."""
    return f"{host_mark()}-{os.getpid()}-{birth_mark(os.getpid())}"


def note_failure(folder: StudyFolder, failure: Failure) -> None:
    """Append a failure to this process's file; it is on disk when this returns.

    Parameters
    ----------
    folder : StudyFolder
        The study's folder.
    failure : Failure
        The failure.
    """
    path = folder.process_file("failures", process_name())
    make_folder(path.parent)
    with refusals_named(path), path.open("a", encoding="utf-8") as stream:
        stream.write(canonical_json(failure.__dict__) + "\n")
        stream.flush()
        os.fsync(stream.fileno())


def read_failures(folder: StudyFolder) -> dict[str, Failure]:
    """All processes' failures by work key. Damaged lines are passed over; ``damaged_lines`` names them."""
    failures: dict[str, Failure] = {}
    for path in folder.process_files("failures"):
        for failure in map(_as_failure, _lines(path)[:-1]):
            if failure is not None:
                failures[failure.key] = failure
    return failures


def damaged_lines(folder: StudyFolder) -> list[str]:
    """A line for every log file with damaged lines. A last line that a killed process left half written is none."""
    notes = []
    for path in folder.process_files("failures"):
        damaged = [number for number, line in enumerate(_lines(path)[:-1], 1) if _as_failure(line) is None]
        if damaged:
            notes.append(f"{path}: line {damaged[0]} is damaged ({len(damaged)} in all): passed over")
    notes += [f"{path}: damaged: passed over" for path in folder.process_files("manifest") if _manifest(path) is None]
    return notes


def forget_failures(folder: StudyFolder, *, passing_only: bool = False) -> None:
    """Forget failures, so that their work is tried again.

    Parameters
    ----------
    folder : StudyFolder
        The study's folder.
    passing_only : bool
        Forget only failures whose reason was not the work's own.
    """
    for path in folder.process_files("failures"):
        failures = [_as_failure(line) for line in _lines(path)]
        if not passing_only:
            path.unlink()
        elif any(failure is not None and failure.passing for failure in failures):
            kept = [failure for failure in failures if failure is not None and not failure.passing]
            with whole_file(path) as unfinished:
                unfinished.write_text("".join(canonical_json(failure.__dict__) + "\n" for failure in kept), "utf-8")


def write_manifest(folder: StudyFolder, manifest: dict[str, Any]) -> Path:
    """Write this process's manifest.

    Parameters
    ----------
    folder : StudyFolder
        The study's folder.
    manifest : dict
        Plain data: versions, digests, counts of items, machine, seeds.

    Returns
    -------
    Path
        The written file.
    """
    path = folder.process_file("manifest", process_name())
    with whole_file(path) as unfinished:
        unfinished.write_text(json.dumps(manifest, indent=2, ensure_ascii=False, sort_keys=True) + "\n", "utf-8")
    return path


def extend_manifest(folder: StudyFolder, added: dict[str, Any]) -> None:
    """Add keys to this process's manifest.

    Parameters
    ----------
    folder : StudyFolder
        The study's folder.
    added : dict
        Plain data.
    """
    manifest = _manifest(folder.process_file("manifest", process_name()))
    if manifest is not None:
        write_manifest(folder, {**manifest, **added})


def read_manifests(folder: StudyFolder) -> list[dict[str, Any]]:
    """The manifests of all processes that worked on a study, in the order of their names; damaged ones are left out."""
    manifests = map(_manifest, folder.process_files("manifest"))
    return [manifest for manifest in manifests if manifest is not None]


def _lines(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8", errors="replace").split("\n") if path.is_file() else []


def _as_failure(line: str) -> Failure | None:
    """The failure in a line; None for a damaged line."""
    try:
        failure = _FAILURE.validate_json(line)
    except ValueError:
        return None
    # Version 0.1.0 recorded such faults as failures of the work.
    return replace(failure, passing=failure.passing or _PASSING.search(failure.reason) is not None)


def _manifest(path: Path) -> dict[str, Any] | None:
    """A manifest; None if it is damaged."""
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
        whole = isinstance(manifest["notes"], list) and isinstance(manifest["versions"], dict)
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return manifest if whole else None
