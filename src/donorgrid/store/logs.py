"""What a study's processes note beside the results: failures and the manifest, one file per process."""

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from donorgrid.core.atomic_files import make_folder, whole_file
from donorgrid.core.digests import canonical_json
from donorgrid.core.names import StudyFolder
from donorgrid.core.processes import birth_mark, host_mark
from donorgrid.core.system_refusals import refusals_named


@dataclass(frozen=True, kw_only=True)
class Failure:
    """One subject whose work failed: its key, what it is (a baseline has no source, recipe, seed), and why."""

    key: str
    model: str
    source: str | None
    recipe: str | None
    train_seed: int | None
    reason: str
    checkpoint: float | None = None


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
    """All processes' failures by work key. A last line that a killed process left half written is skipped."""
    failures: dict[str, Failure] = {}
    for path in folder.process_files("failures"):
        for line in path.read_text(encoding="utf-8").split("\n")[:-1]:
            failure = Failure(**json.loads(line))
            failures[failure.key] = failure
    return failures


def forget_failures(folder: StudyFolder) -> None:
    """Forget all failures, so that the work is tried again."""
    for path in folder.process_files("failures"):
        path.unlink()


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


def read_manifests(folder: StudyFolder) -> list[dict[str, Any]]:
    """The manifests of all processes that worked on a study, in the order of their names."""
    return [json.loads(path.read_text(encoding="utf-8")) for path in folder.process_files("manifest")]
