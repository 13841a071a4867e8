"""A process that is stopped beyond its lease and woken again writes over nothing that was finished meanwhile."""

import os
import signal
import time
from pathlib import Path

from donorgrid.core.names import StudyFolder
from donorgrid.store.claims import LEASE_S
from running import run_here, start, table_bytes
from worlds import make_study


def test_a_woken_process_leaves_a_finished_adapter_alone(tmp_path: Path) -> None:
    file = make_study(tmp_path, languages=["de"], limits={"train_items": 20, "test_items": 8})
    folder = StudyFolder(tmp_path / "tiny")
    sleeper = start(file, folder.root)
    until = time.monotonic() + 60
    while not list(folder.root.glob("adapters/llama/colours@de/*/.unfinished-*")) and time.monotonic() < until:
        time.sleep(0.0005)
    assert sleeper.pid is not None
    os.kill(sleeper.pid, signal.SIGSTOP)
    old = time.time() - LEASE_S - 60
    for claim in folder.claims.iterdir():
        os.utime(claim, (old, old))
    run_here(file, folder.root)
    finished = {path: path.stat().st_mtime_ns for path in folder.root.rglob("*.*") if path.is_file()}
    expected = table_bytes(folder.root)
    os.kill(sleeper.pid, signal.SIGCONT)
    sleeper.join()
    assert sleeper.exitcode == 0
    kept = [path for path in finished if {"adapters", "items"} & set(path.parts) and ".unfinished-" not in str(path)]
    assert {path: path.stat().st_mtime_ns for path in kept} == {path: finished[path] for path in kept}
    assert len(kept) >= 5
    assert table_bytes(folder.root) == expected
    assert not list(folder.root.rglob(".unfinished-*"))
