"""Several processes on one machine that share a study by its folder, and how they end on Ctrl-C."""

import multiprocessing
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing import forkserver, resource_tracker
from multiprocessing.process import BaseProcess
from types import FrameType

from donorgrid.core.errors import InputError, RunFailure
from donorgrid.pipeline import run
from donorgrid.pipeline.prepare.study import Prepared
from donorgrid.pipeline.prepare.work_keys import WorkPlan
from donorgrid.pipeline.run.options import WorkerOptions
from donorgrid.pipeline.session.devices import n_cores

PRELOADED = tuple(
    f"donorgrid.{module}" for module in ("train.methods", "models.adapter_switch", "score.scorer", "score.generate")
)
"""Torch, transformers, PEFT and the modules on top of them. Not polars: its threads do not survive a fork."""
_POLL_S = 0.3
_INTERRUPTED, _BAD_INPUT = 130, 2


def start_preloading() -> None:
    """Start the server that loads what jobs on the CPU need, once for all of them, while this process goes on.

    Does nothing where processes cannot be forked from such a server.
    """
    if _start_method("cpu") == "forkserver":
        forkserver.set_forkserver_preload(list(PRELOADED))
        resource_tracker.ensure_running()  # unblocks SIGINT when it starts, so it has to start before
        mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})  # forked processes inherit the mask
        try:
            forkserver.ensure_running()
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)


def run_processes(
    prepared: Prepared, plan: WorkPlan, options: WorkerOptions, *, jobs: int, on_poll: Callable[[], object]
) -> None:
    """Work on a study with several processes until all have ended.

    Parameters
    ----------
    prepared : Prepared
        The study.
    plan : WorkPlan
        Its work keys.
    options : WorkerOptions
        What each process is told.
    jobs : int
        How many processes.
    on_poll : callable
        Called several times per second.

    Raises
    ------
    KeyboardInterrupt
        On Ctrl-C, when all processes have ended.
    RunFailure
        If a process broke off.
    """
    method = _start_method(options.device)
    context = multiprocessing.get_context(method)
    if method == "forkserver":
        start_preloading()
    threads = max(1, n_cores() // jobs)
    processes: list[BaseProcess] = [
        context.Process(target=_job, args=(prepared, plan, options, threads), name=f"job {number}")  # type: ignore[attr-defined]
        for number in range(jobs)
    ]
    # Forked processes block SIGINT as the server does; spawned ones ignore it if this process does at their start.
    starting = interrupts_delayed if method == "forkserver" else _interrupts_ignored
    try:
        with starting():
            for process in processes:
                process.start()
        while any(process.is_alive() for process in processes):
            on_poll()
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
def interrupts_delayed() -> Iterator[None]:
    """Ctrl-C in the body is raised after it: loading torch takes seconds, and no process may be left half started."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    received: list[int] = []
    former = signal.signal(signal.SIGINT, lambda number, _: received.append(number))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, former)
    if received:
        raise KeyboardInterrupt


@contextmanager
def _interrupts_ignored() -> Iterator[None]:
    """Processes started in the body ignore Ctrl-C, which a terminal sends to all: this process terminates them."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    former = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, former)


def _start_method(device: str) -> str:
    """Forked from a server that has loaded the packages, or spawned where a fork is not safe.

    The driver of a GPU does not survive a fork, and neither do some libraries of macOS.
    """
    return "forkserver" if sys.platform == "linux" and device == "cpu" else "spawn"


def _raise_for(processes: list[BaseProcess]) -> None:
    for process in processes:
        if process.exitcode in (_INTERRUPTED, -signal.SIGTERM):
            raise KeyboardInterrupt
        if process.exitcode:
            raise RunFailure(f"{process.name} ended with exit code {process.exitcode}; what was finished is kept")


def _job(prepared: Prepared, plan: WorkPlan, options: WorkerOptions, threads: int) -> None:
    """One process of several: the same loop as a lone process, on its share of the cores."""
    import torch  # noqa: PLC0415  (heavy, and only needed here)

    signal.signal(signal.SIGTERM, _interrupt)
    torch.set_num_threads(threads)
    try:
        run.worker.Worker(prepared, plan, options, lambda: None).run()
    except KeyboardInterrupt:
        raise SystemExit(_INTERRUPTED) from None
    except InputError as error:
        print(f"error: {error}", flush=True)
        raise SystemExit(_BAD_INPUT) from None


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt
