"""The contract of claims: one holder at a time, taken over from the dead, never from the living."""

import json
import multiprocessing
import os
import time
from collections.abc import Iterator
from pathlib import Path
from queue import Empty

import pytest

from donorgrid.core.names import StudyFolder
from donorgrid.store.claims import LEASE_S, foreign_files, heartbeat, remove_dead_claims, try_claim

_FORK = multiprocessing.get_context("fork")


@pytest.fixture
def folder(tmp_path: Path) -> StudyFolder:
    return StudyFolder(tmp_path)


def dead_holder(folder: StudyFolder, key: str) -> None:
    """A claim whose process has gone without giving it back."""
    process = _FORK.Process(target=lambda: os._exit(0 if try_claim(folder, key) else 1))
    process.start()
    process.join()
    assert process.exitcode == 0


def test_one_holder_at_a_time(folder: StudyFolder) -> None:
    claim = try_claim(folder, "work")
    assert claim is not None
    assert try_claim(folder, "work") is None
    assert try_claim(folder, "other") is not None
    claim.release()
    assert try_claim(folder, "work") is not None


def test_work_of_a_dead_process_is_taken_over_at_once(folder: StudyFolder) -> None:
    dead_holder(folder, "work")
    claim = try_claim(folder, "work")
    assert claim is not None
    assert claim.still_ours()
    assert try_claim(folder, "work") is None
    claim.release()
    assert not list(folder.claims.iterdir())


def test_work_of_another_machine_is_taken_over_after_the_lease_and_not_before(folder: StudyFolder) -> None:
    first = try_claim(folder, "work")
    assert first is not None
    holder = json.loads(first.path.read_text())
    first.path.write_text(json.dumps({**holder, "host": "elsewhere"}))
    old = time.time() - LEASE_S + 30
    os.utime(first.path, (old, old))
    assert try_claim(folder, "work") is None
    os.utime(first.path, (old - 60, old - 60))
    second = try_claim(folder, "work")
    assert second is not None
    assert not first.still_ours()
    assert second.still_ours()


def test_a_heartbeat_keeps_a_claim_fresh(folder: StudyFolder) -> None:
    claim = try_claim(folder, "work")
    assert claim is not None
    old = time.time() - LEASE_S - 60
    os.utime(claim.path, (old, old))
    with heartbeat(claim, every_s=0.01):
        deadline = time.monotonic() + 10
        while claim.path.stat().st_mtime < old + 1 and time.monotonic() < deadline:
            time.sleep(0.01)
    assert claim.path.stat().st_mtime > old + LEASE_S


def _racers(folder: StudyFolder, count: int) -> Iterator[bool]:
    """Whether each of many processes, released at the same moment, got the claim."""
    barrier, answers = _FORK.Barrier(count), _FORK.Queue()

    def race() -> None:
        barrier.wait()
        answers.put(try_claim(folder, "work") is not None)
        barrier.wait()  # nobody dies, and so lets go, before all have tried

    processes = [_FORK.Process(target=race) for _ in range(count)]
    for process in processes:
        process.start()
    for _ in processes:
        yield answers.get(timeout=30)
    for process in processes:
        process.join()
    with pytest.raises(Empty):
        answers.get_nowait()


def test_of_many_that_see_one_dead_claim_exactly_one_takes_it_over(folder: StudyFolder) -> None:
    for _ in range(5):
        dead_holder(folder, "work")
        assert sum(_racers(folder, 6)) == 1


def test_dead_claims_are_tidied_away_but_open_work_keeps_its_mark(folder: StudyFolder) -> None:
    dead_holder(folder, "done")
    dead_holder(folder, "open")
    living = try_claim(folder, "mine")
    assert living is not None
    remove_dead_claims(folder, open_keys={"open"})
    assert sorted(path.stem for path in folder.claims.iterdir()) == ["mine", "open"]


@pytest.mark.parametrize("text", ["", "junk", "{", "[]", '{"host": 1}', "\0" * 40])
def test_a_damaged_claim_holds_nothing(folder: StudyFolder, text: str) -> None:
    folder.claims.mkdir(parents=True)
    folder.claim("work", 0).write_text(text)
    claim = try_claim(folder, "work")
    assert claim is not None
    assert claim.still_ours()


def test_what_is_no_claim_is_named_and_stays(folder: StudyFolder) -> None:
    folder.claims.mkdir(parents=True)
    for name in ("work.txt", "work", "work.0x1", "notes.-1"):
        (folder.claims / name).write_text("junk")
    folder.claim("work", 7).mkdir()
    claim = try_claim(folder, "work")
    assert claim is not None
    claim.release()
    remove_dead_claims(folder, open_keys=set())
    assert sorted(path.name for path in foreign_files(folder)) == ["notes.-1", "work", "work.0x1", "work.7", "work.txt"]
