"""How processes end: none outlives its command, and one that dies does not end the work of the others."""

import os
import signal
import subprocess
import sys
import threading
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


def workers_of(folder: StudyFolder) -> list[int]:
    """The ids of the processes that hold a claim."""
    claims = [path.read_text() for path in folder.claims.glob("*.0")]
    holders = (text.partition('"pid": ')[2].partition(",")[0] for text in claims)
    return sorted({int(pid) for pid in holders if pid})


class Command:
    """``donorgrid run`` with two jobs, whose processes are found by a marker in their environment."""

    def __init__(self, file: Path, out: Path) -> None:
        self.marker = f"DONORGRID_TEST_RUN={out}"
        self.folder = StudyFolder(out)
        name, _, value = self.marker.partition("=")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "donorgrid", "run", str(file), "--out", str(out), "--jobs", "2"],
            env={**os.environ, name: value},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def wait_until_at_work(self) -> None:
        assert wait_for(lambda: list(self.folder.root.glob("items/*/*.parquet")), 240)


@pytest.fixture(scope="module")
def commands(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Command]]:
    """Three commands that start at the same time, because most of their time is that of loading torch."""
    root = tmp_path_factory.mktemp("orphans")
    file = make_study(root, train_seeds=list(range(1, 30)))
    started = {name: Command(file, root / name) for name in ("SIGTERM", "SIGKILL", "too early")}
    yield started
    for command in started.values():
        for pid in processes_of(command.marker):
            os.kill(pid, signal.SIGKILL)
        command.process.wait()


def test_when_the_command_is_killed_before_its_jobs_begin_nothing_stays(commands: dict[str, Command]) -> None:
    command = commands["too early"]
    assert wait_for(lambda: command.folder.plan.exists(), 240)
    os.kill(command.process.pid, signal.SIGKILL)
    command.process.wait()
    assert wait_for(lambda: not processes_of(command.marker), DEADLINE_S), processes_of(command.marker)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_when_the_command_is_ended_alone_its_jobs_put_down_their_work_and_end(
    commands: dict[str, Command], number: signal.Signals
) -> None:
    command = commands[number.name]
    command.wait_until_at_work()
    assert len(processes_of(command.marker)) > 2
    os.kill(command.process.pid, number)
    assert wait_for(lambda: not processes_of(command.marker), DEADLINE_S), processes_of(command.marker)
    command.process.wait()
    assert command.process.returncode == (130 if number == signal.SIGTERM else -signal.SIGKILL)
    assert not list(command.folder.claims.iterdir())


def test_a_job_that_is_killed_does_not_end_the_work_of_the_other(donorgrid, tmp_path: Path) -> None:
    """The command is this process, whose jobs are forked off a server that other tests may have started."""
    file = make_study(tmp_path, train_seeds=[1, 2, 3], limits={"train_items": 12, "test_items": 8})
    folder = StudyFolder(tmp_path / "tiny")

    def kill_a_job() -> None:
        assert wait_for(lambda: list(folder.root.glob("items/*/*.parquet")) and workers_of(folder), 120)
        os.kill(workers_of(folder)[0], signal.SIGKILL)

    killer = threading.Thread(target=kill_a_job)
    killer.start()
    code, out, err = donorgrid("run", file, "--jobs", "2")
    killer.join()
    assert code == 0
    assert "error" not in err
    assert "was ended by SIGKILL" in out
    assert "the other processes finished its work" in out
    assert "10 of 10 done, 0 failed, 0 left" in out
