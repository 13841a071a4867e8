"""Kills `run`, `analyse` and `report` at random moments, resumes them, and compares with an undisturbed run.

    python tools/kills.py 200

Three of five kills hit `run`, the others `analyse` and `report`. A killed command is resumed by the next one, and after
five kills the study is brought to its end. Every sixth study of `run` has two jobs and is started as a user starts it;
its kills hit the command alone, or all its processes at once. The other commands are forked off a process that has
loaded torch, which saves their start. A twentieth as many runs with two jobs get SIGTERM. Linux only: processes are
found in /proc. The exit code is 1 if a result differs or a process stays.
"""

import multiprocessing
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

COMMANDS = ("run", "analyse", "report")
KILLS_OF_A_STUDY = 5
STUDIES_WITH_ONE_JOB = 5
GRACE_S = 10.0
WORLD = """
import sys
from pathlib import Path
from worlds import make_study
make_study(Path(sys.argv[1]), languages=["de", "en"], train_seeds=[1, 2], checkpoints=[1], limits={"test_items": 8})
"""
_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload(
    ["donorgrid.train.methods", "donorgrid.models.adapter_switch", "donorgrid.score.scorer", "donorgrid.score.generate"]
)


class Study:
    """A study in a folder of its own. With two jobs its commands are processes of their own, else they are forked."""

    def __init__(self, folder: Path, *, world: Path, jobs: int) -> None:
        self.folder, self.jobs = folder, jobs
        folder.mkdir()
        for path in world.iterdir():
            (folder / path.name).symlink_to(path)

    def start(self, command: str) -> "Started":
        """Starts a command as the leader of a session."""
        words = [command, str(self.folder / "tiny.yaml"), *(["--jobs", str(self.jobs)] if command == "run" else [])]
        if self.jobs == 1:
            forked = _CONTEXT.Process(target=_command, args=(words,))
            forked.start()
            return Started(int(forked.pid or 0), lambda seconds: _exit_code(forked, seconds))
        process = subprocess.Popen(
            [sys.executable, "-m", "donorgrid", *words],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        return Started(process.pid, lambda seconds: _return_code(process, seconds))

    def finish(self, command: str) -> float:
        """Runs a command to its end; the seconds that it took."""
        begun = time.monotonic()
        code = self.start(command).wait(None)
        if code != 0:
            raise SystemExit(f"{self.folder}: '{command}' ended with {code}")
        return time.monotonic() - begun

    def results(self) -> dict[str, bytes]:
        """The bytes of every table and of the report."""
        files = [*self.folder.glob("tiny/tables/*.csv"), *self.folder.glob("tiny/report.html")]
        return {path.name: path.read_bytes() for path in sorted(files)}


class Started:
    """A command at work: its process, and ``wait``, which gives its exit code, or None if it goes on for longer."""

    def __init__(self, pid: int, wait: Callable[[float | None], int | None]) -> None:
        self.pid, self.wait = pid, wait

    def processes(self) -> list[int]:
        """The living processes of its session."""
        return [int(path.name) for path in Path("/proc").glob("[0-9]*") if _session(path) == self.pid]


def _command(words: list[str]) -> None:
    os.setsid()
    with open(os.devnull, "w") as nowhere:  # noqa: PTH123 - a device
        os.dup2(nowhere.fileno(), 1)
        os.dup2(nowhere.fileno(), 2)
    from donorgrid.cli import main  # noqa: PLC0415 - not in the process that forks

    sys.argv = ["donorgrid", *words]
    main()


def _exit_code(process: multiprocessing.process.BaseProcess, seconds: float | None) -> int | None:
    process.join(seconds)
    return process.exitcode


def _return_code(process: "subprocess.Popen[bytes]", seconds: float | None) -> int | None:
    try:
        return process.wait(seconds)
    except subprocess.TimeoutExpired:
        return None


def _session(process: Path) -> int | None:
    """The session of a process; None for one that has ended."""
    try:
        state, _, _, session = (process / "stat").read_text().rpartition(")")[2].split()[:4]
    except (OSError, ValueError):
        return None
    return None if state == "Z" else int(session)


def interrupt(started: Started, *, after_s: float, number: int, alone: bool) -> str:
    """Sends a signal to a command after some seconds.

    Parameters
    ----------
    started : Started
        The command.
    after_s : float
        When.
    number : int
        The signal.
    alone : bool
        Whether only the command gets it, not its jobs.

    Returns
    -------
    str
        ``hit``, ``ended before``, or ``left processes`` if one is there ten seconds later.
    """
    if started.wait(after_s) is not None:
        return "ended before"
    (os.kill if alone else os.killpg)(started.pid, number)
    until = time.monotonic() + GRACE_S
    started.wait(GRACE_S)
    while started.processes():
        if time.monotonic() > until:
            return "left processes"
        time.sleep(0.05)
    return "hit"


def kill_often(root: Path, command: str, n_kills: int, expected: dict[str, bytes]) -> Counter[str]:
    """Kills a command until so many kills have hit it, in one study after the other.

    Parameters
    ----------
    root : Path
        Where the studies lie.
    command : str
        The command that is killed.
    n_kills : int
        How many times.
    expected : dict
        The undisturbed results.

    Returns
    -------
    Counter
        ``hit``, ``studies``, and what went wrong: ``different`` results, ``left processes``.
    """
    draw, counts, duration_s = random.Random(command), Counter[str](), {1: 2.0, 2: 10.0}
    while counts["hit"] + counts["left processes"] < n_kills:
        alone_too = command == "run" and counts["studies"] % (STUDIES_WITH_ONE_JOB + 1) == STUDIES_WITH_ONE_JOB
        study = Study(root / f"{command}-{counts['studies']}", world=root / "world", jobs=2 if alone_too else 1)
        for former in COMMANDS[: COMMANDS.index(command)]:
            study.finish(former)
        for _ in range(min(KILLS_OF_A_STUDY, n_kills - counts["hit"])):
            moment, alone = draw.uniform(0.0, duration_s[study.jobs]), study.jobs == 1 or draw.random() < 0.5
            counts[interrupt(study.start(command), after_s=moment, number=signal.SIGKILL, alone=alone)] += 1
        for resumed in COMMANDS:
            seconds = study.finish(resumed)
            duration_s[study.jobs] = (
                max(duration_s[study.jobs], seconds) if resumed == command else duration_s[study.jobs]
            )
        counts["studies"] += 1
        counts["different"] += study.results() != expected
        shutil.rmtree(study.folder)
    return counts


def terminate_often(root: Path, n_signals: int, duration_s: float) -> Counter[str]:
    """Sends SIGTERM to so many runs; counts what came of it."""
    draw, counts = random.Random("SIGTERM"), Counter[str]()
    while counts["hit"] + counts["left processes"] < n_signals:
        study = Study(root / "terminated", world=root / "world", jobs=2)
        moment = draw.uniform(0.0, duration_s)
        counts[interrupt(study.start("run"), after_s=moment, number=signal.SIGTERM, alone=True)] += 1
        shutil.rmtree(study.folder)
    return counts


def main(n_kills: int) -> int:
    """Kills so many times, prints what happened, and returns the exit code."""
    shares = {"run": 3 * n_kills // 5, "analyse": n_kills // 5, "report": n_kills // 5}
    wrong = 0
    with tempfile.TemporaryDirectory(prefix="donorgrid-kills-") as name:
        root, tests = Path(name), Path(__file__).parents[1] / "tests"
        path = os.pathsep.join([str(tests), os.environ.get("PYTHONPATH", "")])
        subprocess.run(
            [sys.executable, "-c", WORLD, root / "world"], env={**os.environ, "PYTHONPATH": path}, check=True
        )
        undisturbed = Study(root / "undisturbed", world=root / "world", jobs=2)
        seconds = {command: undisturbed.finish(command) for command in COMMANDS}
        expected = undisturbed.results()
        print(
            f"undisturbed: {', '.join(f'{name} {s:.1f} s' for name, s in seconds.items())}; {len(expected)} files",
            flush=True,
        )
        for command, share in shares.items():
            counts = kill_often(root, command, share, expected)
            wrong += counts["different"] + counts["left processes"]
            print(f"{command}: {counts['hit']} kills in {counts['studies']} studies, {counts['different']} with other "
                  f"results, {counts['left processes']} left processes", flush=True)  # fmt: skip
        counts = terminate_often(root, n_kills // 20, seconds["run"])
        wrong += counts["left processes"]
        print(f"SIGTERM: {counts['hit']} runs, {counts['left processes']} left processes", flush=True)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 200))
