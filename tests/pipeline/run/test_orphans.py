"""How processes end: none outlives its command, and one that dies does not end the work of the others."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from donorgrid.core.names import StudyFolder
from worlds import make_study

DEADLINE_S = 10.0


def processes_of(marker: str) -> dict[int, str]:
    """The living processes whose environment holds a marker, with their command lines."""
    found = {}
    for process in Path("/proc").glob("[0-9]*"):
        try:
            environment = (process / "environ").read_bytes()
            state = (process / "stat").read_text().rpartition(")")[2].split()[0]
            if marker.encode() in environment and state != "Z":
                found[int(process.name)] = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode()
        except (OSError, IndexError):
            continue
    return found


def wait_for(condition: Callable[[], object], seconds: float) -> bool:
    until = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > until:
            return False
        time.sleep(0.05)
    return True


class Command:
    """``donorgrid run`` with two jobs, whose processes are found by a marker in their environment."""

    def __init__(self, file: Path) -> None:
        self.marker = f"DONORGRID_TEST_RUN={file}"
        self.folder = StudyFolder(file.with_suffix(""))
        name, _, value = self.marker.partition("=")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "donorgrid", "run", str(file), "--jobs", "2"],
            env={**os.environ, name: value},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def workers(self) -> list[int]:
        """The ids of the processes that hold a claim."""
        claims = [path.read_text() for path in self.folder.claims.glob("*.0")]
        holders = (text.partition('"pid": ')[2].partition(",")[0] for text in claims)
        return sorted({int(pid) for pid in holders if pid})

    def wait_until_at_work(self) -> None:
        assert wait_for(lambda: list(self.folder.root.glob("items/*/*.parquet")), 120)


@pytest.fixture
def begun(tmp_path: Path) -> Iterator[Command]:
    command = Command(make_study(tmp_path, train_seeds=list(range(1, 30))))
    yield command
    for pid in processes_of(command.marker):
        os.kill(pid, signal.SIGKILL)
    command.process.communicate()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_when_the_command_is_ended_alone_its_jobs_put_down_their_work_and_end(begun: Command, number: int) -> None:
    begun.wait_until_at_work()
    assert len(processes_of(begun.marker)) > 2
    os.kill(begun.process.pid, number)
    assert wait_for(lambda: not processes_of(begun.marker), DEADLINE_S), processes_of(begun.marker)
    begun.process.wait()
    assert begun.process.returncode == (130 if number == signal.SIGTERM else -signal.SIGKILL)
    assert not list(begun.folder.claims.iterdir())


def test_when_the_command_is_killed_before_its_jobs_begin_nothing_stays(begun: Command) -> None:
    assert wait_for(lambda: begun.folder.plan.exists(), 120)
    os.kill(begun.process.pid, signal.SIGKILL)
    begun.process.wait()
    assert wait_for(lambda: not processes_of(begun.marker), DEADLINE_S), processes_of(begun.marker)


def test_a_job_that_is_killed_does_not_end_the_work_of_the_other(tmp_path: Path) -> None:
    command = Command(make_study(tmp_path, train_seeds=[1, 2, 3], limits={"train_items": 12, "test_items": 8}))
    command.wait_until_at_work()
    assert wait_for(command.workers, 30)
    os.kill(command.workers()[0], signal.SIGKILL)
    out, err = command.process.communicate(timeout=120)
    assert command.process.returncode == 0
    assert "error" not in err  # Python may say that a killed process left a semaphore
    assert "was ended by SIGKILL" in out
    assert "the other processes finished its work" in out
    assert "10 of 10 done, 0 failed, 0 left" in out
