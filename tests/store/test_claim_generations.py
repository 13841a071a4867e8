"""Who holds a claim: the newest generation by its number, its process by its birth, and nobody beyond the lease."""

import json
import os
import time
from pathlib import Path

import pytest

from donorgrid.core.names import StudyFolder
from donorgrid.core.processes import birth_mark, host_mark
from donorgrid.store.claims import LEASE_S, try_claim


@pytest.fixture
def folder(tmp_path: Path) -> StudyFolder:
    found = StudyFolder(tmp_path)
    found.claims.mkdir(parents=True)
    return found


def claimed(folder: StudyFolder, generation: int, *, age_s: float = 0.0, **holder: object) -> None:
    path = folder.claim("work", generation)
    mine = {"host": host_mark(), "pid": os.getpid(), "born": birth_mark(os.getpid())}
    path.write_text(json.dumps({**mine, **holder}))
    then = time.time() - age_s
    os.utime(path, (then, then))


def test_the_eleventh_generation_is_newer_than_the_tenth(folder: StudyFolder) -> None:
    for generation in range(10):
        claimed(folder, generation, age_s=LEASE_S + 60, host="elsewhere")
    claim = try_claim(folder, "work")
    assert claim is not None
    assert claim.path == folder.claim("work", 10)
    assert claim.still_ours()


def test_a_process_that_was_born_later_does_not_hold_the_claim_of_a_dead_one(folder: StudyFolder) -> None:
    claimed(folder, 0, born="another day")
    assert try_claim(folder, "work") is not None


def test_a_process_that_hangs_loses_its_claim_after_the_lease(folder: StudyFolder) -> None:
    claimed(folder, 0)
    assert try_claim(folder, "work") is None
    claimed(folder, 0, age_s=LEASE_S + 60)
    assert try_claim(folder, "work") is not None
