"""Several processes on one machine that share a study by its folder, and what becomes of them on Ctrl-C."""

import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.process import BaseProcess
from pathlib import Path
from types import FrameType

import torch

from donorgrid.core.errors import InputError, RunFailure
from donorgrid.core.names import StudyFolder
from donorgrid.pipeline.prepare import prepare
from donorgrid.pipeline.work import Worker, WorkOptions

_POLL_S = 0.3
_INTERRUPTED, _BAD_INPUT = 130, 2


def n_cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def run_processes(
    study_file: Path, folder: StudyFolder, work: WorkOptions, *, jobs: int, tell: Callable[[], object]
) -> None:
    """Work on a study with ``jobs`` processes until all have ended; ``tell`` is called now and then.

    Raises KeyboardInterrupt on Ctrl-C, when all processes have put down their work, and RunFailure when one broke.
    """
    context = multiprocessing.get_context("spawn")
    threads = max(1, n_cores() // jobs)
    processes: list[BaseProcess] = [
        context.Process(target=_job, args=(study_file, folder.root, work, threads), name=f"job {number}")
        for number in range(jobs)
    ]
    with _deaf_to_interrupts():
        for process in processes:
            process.start()
    try:
        while any(process.is_alive() for process in processes):
            tell()
            time.sleep(_POLL_S)
    except KeyboardInterrupt:
        for process in processes:
            process.terminate()
        raise
    finally:
        for process in processes:
            process.join()
    _raise_for(processes)


@contextmanager
def _deaf_to_interrupts() -> Iterator[None]:
    """Processes started in the body do not hear Ctrl-C, which a terminal sends to all: this one tells them."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    former = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, former)


def _raise_for(processes: list[BaseProcess]) -> None:
    for process in processes:
        if process.exitcode in (_INTERRUPTED, -signal.SIGTERM):
            raise KeyboardInterrupt
        if process.exitcode:
            raise RunFailure(f"{process.name} ended with exit code {process.exitcode}; what was finished is kept")


def _job(study_file: Path, root: Path, work: WorkOptions, threads: int) -> None:
    """One process of several: the same loop as a lone process, on its share of the cores."""
    signal.signal(signal.SIGTERM, _interrupt)
    torch.set_num_threads(threads)
    try:
        Worker(prepare(study_file, StudyFolder(root)), work, lambda: None).run()
    except KeyboardInterrupt:
        raise SystemExit(_INTERRUPTED) from None
    except InputError as error:
        print(f"error: {error}", flush=True)
        raise SystemExit(_BAD_INPUT) from None


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt
