"""Several processes: the same results as one, and what Ctrl-C leaves: one line, exit code 130, nothing half done."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from donorgrid.core.names import StudyFolder
from donorgrid.pipeline.prepare.study import study_paths
from donorgrid.pipeline.run import processes
from donorgrid.pipeline.run.options import RunOptions
from donorgrid.pipeline.run.progress import study_status
from donorgrid.pipeline.run.run_study import run_study
from donorgrid.pipeline.session.devices import n_cores
from running import run_here
from worlds import LANGUAGES, make_documents, make_study

# What is started in the background of a script is deaf to Ctrl-C, and so would be what these tests start.
_HEARS = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)"


def begin_run(file: Path) -> subprocess.Popen[str]:
    """``donorgrid run`` with two processes, in a process group of its own."""
    command = [
        sys.executable,
        "-c",
        f"{_HEARS}; from donorgrid.cli import main; main()",
        "run",
        str(file),
        "--jobs",
        "2",
    ]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, process_group=0)


@pytest.fixture
def hears() -> Iterator[None]:
    former = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, former)


def test_interrupted_processes_put_down_their_work(tmp_path: Path) -> None:
    file = make_study(tmp_path, train_seeds=list(range(1, 30)))
    folder = StudyFolder(tmp_path / "tiny")
    started = begin_run(file)
    deadline = time.monotonic() + 120
    while not list(folder.root.glob("items/*/*.parquet")) and time.monotonic() < deadline:
        time.sleep(0.05)
    os.killpg(started.pid, signal.SIGINT)
    _, err = started.communicate(timeout=120)
    assert started.returncode == 130
    assert err == "error: interrupted; what was finished is kept, the same command goes on\n"
    assert not [*folder.root.rglob(".unfinished-*"), *folder.claims.iterdir()]
    progress, failures = study_status(file)
    assert 0 < progress.done < progress.total
    assert failures == []
    finished = {path: path.stat().st_mtime_ns for path in folder.root.glob("items/*/*.parquet")}
    make_study(tmp_path, train_seeds=[1])
    run_here(file, folder.root)
    assert study_status(file)[0].left == 0
    assert all(path.stat().st_mtime_ns == before for path, before in finished.items())


@pytest.mark.usefixtures("hears")
def test_interrupt_while_processes_begin_is_not_lost() -> None:
    begun = []

    def begin() -> None:
        with processes.interrupts_delayed():
            os.kill(os.getpid(), signal.SIGINT)
            begun.append(True)

    with pytest.raises(KeyboardInterrupt):
        begin()
    assert begun
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_interrupted_while_processes_begin(tmp_path: Path) -> None:
    """The plan is written just before the first of them."""
    file = make_study(tmp_path, train_seeds=list(range(1, 30)))
    started = begin_run(file)
    deadline = time.monotonic() + 120
    while not (tmp_path / "tiny" / "plan.json").exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    os.killpg(started.pid, signal.SIGINT)
    _, err = started.communicate(timeout=120)
    assert started.returncode == 130
    assert err == "error: interrupted; what was finished is kept, the same command goes on\n"


def test_two_processes_give_the_bytes_that_one_gives(tmp_path: Path) -> None:
    """Of a task file and of a plain data file, which the processes are handed read."""
    rows = [
        {**document, "language": language, "split": split}
        for language in LANGUAGES
        for seed, (split, count) in enumerate({"train": 20, "test": 10}.items())
        for document in make_documents("numbers", language, count=count, seed=seed)
    ]
    (tmp_path / "quiz.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    file = make_study(tmp_path, tasks=["colours.yaml", "quiz.jsonl"])
    n_threads = torch.get_num_threads()
    torch.set_num_threads(max(1, n_cores() // 2))  # as each of two jobs has
    run_here(file, tmp_path / "one")
    torch.set_num_threads(n_threads)
    path, folder = study_paths(file, tmp_path / "two")
    progress = run_study(path, folder.root, options=RunOptions(device="cpu", jobs=2))
    assert (progress.done, progress.left) == (7, 0)
    one = {path.relative_to(tmp_path / "one"): path.read_bytes() for path in (tmp_path / "one").rglob("*.parquet")}
    assert len(one) == 7
    assert one == {path.relative_to(folder.root): path.read_bytes() for path in folder.root.rglob("*.parquet")}


def test_what_is_forked_off_has_no_threads_of_polars_and_no_gpu() -> None:
    code = (
        "import sys, torch\nfrom importlib import import_module\n"
        f"for module in {processes.PRELOADED!r}: import_module(module)\n"
        "assert not torch.cuda.is_initialized()\n"
        "print(*{'polars', 'peft'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["peft"]
