"""Several processes on one machine that share a study by its folder. They end with their parent, however it ends."""

import multiprocessing
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from multiprocessing import forkserver, resource_tracker
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from types import FrameType

from donorgrid.core.errors import DonorgridError, Fault, SystemRefusal
from donorgrid.core.faults import keep_traceback
from donorgrid.core.system_refusals import system_refusal
from donorgrid.pipeline import run
from donorgrid.pipeline.prepare.study import Prepared
from donorgrid.pipeline.prepare.work_keys import WorkPlan
from donorgrid.pipeline.run.options import WorkerOptions
from donorgrid.pipeline.run.progress import Watch
from donorgrid.pipeline.run.work_meter import Row, WorkGauge, WorkMeter, empty_row
from donorgrid.pipeline.run.work_sizes import work_sizes
from donorgrid.pipeline.session.devices import n_cores

PRELOADED = tuple(
    f"donorgrid.{module}"
    for module in (
        "pipeline.run.server_lifetime",
        "train.methods",
        "models.adapter_switch",
        "score.scorer",
        "score.generate",
    )
)
"""Torch, transformers, PEFT and the modules on top of them. Not polars: its threads do not survive a fork."""
_POLL_S = 0.3
_GRACE_S = 8.0
"""So long a job may take to put down what it holds."""
_INTERRUPTED = 130


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
    prepared: Prepared, plan: WorkPlan, options: WorkerOptions, *, jobs: int, watch: Watch
) -> list[DonorgridError]:
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
    watch : Watch
        Reads the progress several times per second.

    Returns
    -------
    list of DonorgridError
        Why processes broke off. The others may have done their work.

    Raises
    ------
    KeyboardInterrupt
        On Ctrl-C or SIGTERM, when all processes have ended.
    """
    method = _start_method(options.device)
    context = multiprocessing.get_context(method)
    if method == "forkserver":
        start_preloading()
    threads = max(1, n_cores() // jobs)
    links = [context.Pipe() for _ in range(jobs)]
    rows = [context.RawArray("d", empty_row()) for _ in range(jobs)]
    watch.follow(WorkGauge(rows, work_sizes(prepared)))
    processes: list[BaseProcess] = [
        context.Process(target=_job, args=(prepared, plan, options, threads, row, theirs), name=f"job {number}")  # type: ignore[attr-defined]
        for number, ((_, theirs), row) in enumerate(zip(links, rows, strict=True))
    ]
    # Forked processes block SIGINT as the server does; spawned ones ignore it if this process does at their start.
    starting = interrupts_delayed if method == "forkserver" else _interrupts_ignored
    try:
        with starting():
            for process, (_, theirs) in zip(processes, links, strict=True):
                process.start()
                theirs.close()  # so that nobody but the job holds this end, and the job sees when this process is gone
        while any(process.is_alive() for process in processes):
            watch.progress()
            time.sleep(_POLL_S)
    except BaseException:
        _end(processes)
        raise
    errors = [_error_of(process, ours) for process, (ours, _) in zip(processes, links, strict=True)]
    return [error for error in errors if error is not None]


def _end(processes: Sequence[BaseProcess]) -> None:
    """Ends processes: they are asked to put down what they hold, and killed when that takes too long."""
    started = [process for process in processes if process.pid is not None]
    for process in started:
        process.terminate()
    until = time.monotonic() + _GRACE_S
    for process in started:
        process.join(max(0.0, until - time.monotonic()))
    for process in started:
        if process.is_alive():
            process.kill()
            process.join()


@contextmanager
def interrupts_delayed() -> Iterator[None]:
    """Ctrl-C and SIGTERM in the body are raised after it: no process may be left half started."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    received: list[int] = []
    numbers = (signal.SIGINT, signal.SIGTERM)
    former = {number: signal.signal(number, lambda number, _: received.append(number)) for number in numbers}
    try:
        yield
    finally:
        for number in numbers:
            signal.signal(number, former[number])
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


def _error_of(process: BaseProcess, link: Connection) -> DonorgridError | None:
    """Why a process broke off; None if it went on to the end of its work."""
    process.join()
    try:
        told = link.recv() if link.poll() else None
    except EOFError:
        told = None
    code = process.exitcode
    if isinstance(told, DonorgridError) or not code:
        return told
    if code == _INTERRUPTED or code < 0:
        name = signal.Signals(-code).name if code < 0 else "SIGTERM"
        often = " (often there was too little memory)" if name == "SIGKILL" else ""
        return SystemRefusal(f"{process.name} was ended by {name}{often}; the same command goes on")
    return Fault(f"a fault in donorgrid: {process.name} ended with exit code {code} and told no reason")


def _job(prepared: Prepared, plan: WorkPlan, options: WorkerOptions, threads: int, row: Row, link: Connection) -> None:
    """One process of several: the same loop as a lone process, on its share of the cores."""
    import torch  # noqa: PLC0415  (heavy, and only needed here)

    signal.signal(signal.SIGTERM, _interrupt)
    threading.Thread(target=_end_with_parent, args=(link,), daemon=True, name="end with parent").start()
    try:
        torch.set_num_threads(threads)
        meter = WorkMeter(row, work_sizes(prepared))
        run.worker.Worker(prepared, plan, options, lambda: None, meter).run()
    except KeyboardInterrupt:
        raise SystemExit(_INTERRUPTED) from None
    except Exception as error:  # noqa: BLE001 - the border of a worker: the parent gets one line for whatever it is
        told = error if isinstance(error, DonorgridError) else system_refusal(error) or keep_traceback(error)
        link.send(told)
        raise SystemExit(1) from None


def _end_with_parent(link: Connection) -> None:
    """Interrupts this process when its parent is gone: then nobody holds the other end of the link."""
    try:
        link.recv()
    except (EOFError, OSError):
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(_GRACE_S)
        os._exit(_INTERRUPTED)


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt
