"""Studies run in processes of their own, which a test may kill."""

import multiprocessing
import os
import signal
import sys
from multiprocessing.process import BaseProcess
from pathlib import Path
from types import FrameType

from donorgrid.analyse import AnalysisSettings
from donorgrid.core.names import StudyFolder, subject_name
from donorgrid.pipeline.analyse.table_files import write_tables
from donorgrid.pipeline.analyse.tables import analyse_folder
from donorgrid.pipeline.prepare.study import study_paths
from donorgrid.pipeline.run.options import RunOptions
from donorgrid.pipeline.run.run_study import run_study
from donorgrid.pipeline.session.study_session import StudySession
from donorgrid.pipeline.session.training import Training

_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload(["donorgrid.pipeline.run.worker", "transformers.models.llama.modeling_llama"])
QUICK = AnalysisSettings(n_bootstrap=20, n_permutations=20)


def run_here(file: Path, out: Path) -> None:
    """Run a study to its end in the calling process."""
    path, folder = study_paths(file, out)
    run_study(path, folder.root, options=RunOptions(device="cpu", jobs=1))


def start(file: Path, out: Path, *, die_at: int | None = None, count: Path | None = None) -> BaseProcess:
    """Run a study in a process of its own.

    ``die_at``: it kills itself with SIGKILL, which lets it tidy up nothing, at its so many-th Python call. A count of
    calls falls on the same moments of the work on a fast machine and on a slow one. ``count``: a file that receives
    the number of calls of a run that ended.
    """
    process = _CONTEXT.Process(target=_run_counted, args=(file, out, die_at, count))
    process.start()
    return process


def _run_counted(file: Path, out: Path, die_at: int | None, count: Path | None) -> None:
    calls = 0

    def on_event(_frame: FrameType, event: str, _argument: object) -> None:
        nonlocal calls
        calls += event == "call"
        if calls == die_at:
            os.kill(os.getpid(), signal.SIGKILL)

    if die_at is not None or count is not None:
        sys.setprofile(on_event)
    run_here(file, out)
    sys.setprofile(None)
    if count is not None:
        count.write_text(str(calls))


def start_noted(file: Path, out: Path, notes: Path, shard: tuple[int, int] | None = None) -> BaseProcess:
    """Run a study, or a shard of it, in a process that writes down every training and every scoring that it does."""
    process = _CONTEXT.Process(target=_run_noted, args=(file, out, notes, shard))
    process.start()
    return process


def _run_noted(file: Path, out: Path, notes: Path, shard: tuple[int, int] | None) -> None:
    train, score = Training.train.__code__, StudySession.answers.__code__

    def on_event(frame: FrameType, event: str, _argument: object) -> None:
        if event == "call" and frame.f_code is train:
            noted.write(f"train {' '.join(map(subject_name, frame.f_locals['training_keys']))}\n")
        elif event == "call" and frame.f_code is score:
            noted.write(f"score {frame.f_locals['adapter']} {frame.f_locals['targets']}\n")

    with notes.open("w") as noted:
        sys.setprofile(on_event)
        path, folder = study_paths(file, out)
        run_study(path, folder.root, options=RunOptions(device="cpu", jobs=1, shard=shard))
        sys.setprofile(None)


def table_bytes(out: Path) -> dict[str, bytes]:
    """The tables of a study's folder, analysed anew."""
    folder = StudyFolder(out)
    write_tables(analyse_folder(folder, QUICK).tables, folder.tables)
    return {path.name: path.read_bytes() for path in folder.tables.iterdir()}
