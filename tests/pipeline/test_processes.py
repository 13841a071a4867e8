"""Ctrl-C on several processes: one line, exit code 130, nothing half done."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from donorgrid.core.names import StudyFolder
from donorgrid.pipeline.steps import study_status
from running import run_here
from worlds import make_study


def test_interrupted_processes_put_down_their_work(tmp_path: Path) -> None:
    file = make_study(tmp_path, train_seeds=list(range(1, 30)))
    folder = StudyFolder(tmp_path / "tiny")
    command = [sys.executable, "-c", "from donorgrid.cli import main; main()", "run", str(file), "--jobs", "2"]
    started = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, process_group=0)
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
