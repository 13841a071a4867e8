"""Several processes on one machine that share a study by its folder, and what becomes of them on Ctrl-C."""

import multiprocessing
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing import forkserver, resource_tracker
from multiprocessing.process import BaseProcess
from types import FrameType

from donorgrid import pipeline
from donorgrid.core.errors import InputError, RunFailure
from donorgrid.pipeline.prepare.study import Prepared
from donorgrid.pipeline.prepare.work_keys import WorkPlan
from donorgrid.pipeline.run.options import WorkerOptions

PRELOADED = tuple(
    f"donorgrid.{module}" for module in ("train.methods", "models.adapter_switch", "score.scorer", "score.generate")
)
"""Torch, transformers, PEFT and what stands on them. Polars is not among them: its threads do not outlive a fork."""
_POLL_S = 0.3
_INTERRUPTED, _BAD_INPUT = 130, 2


def n_cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def warm_up() -> None:
    """Begin to load what jobs on the CPU need, once for all of them and while this process does other things.

    Does nothing where processes cannot be forked off one that has loaded it.
    """
    if _start_method("cpu") == "forkserver":
        forkserver.set_forkserver_preload(list(PRELOADED))
        resource_tracker.ensure_running()  # which would let interrupts through again
        former = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})  # what is forked off inherits it
        try:
            forkserver.ensure_running()
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, former)


def _start_method(device: str) -> str:
    """How processes begin: forked off a server that has loaded all but polars; anew where that is not safe.

    A GPU's driver does not outlive a fork, and neither do some libraries of macOS.
    """
    return "forkserver" if sys.platform == "linux" and device == "cpu" else "spawn"


def run_processes(
    prepared: Prepared, plan: WorkPlan, options: WorkerOptions, *, jobs: int, tell: Callable[[], object]
) -> None:
    """Work on a study with ``jobs`` processes until all have ended; ``tell`` is called now and then.

    Raises KeyboardInterrupt on Ctrl-C, when all processes have put down their work, and RunFailure when one broke.
    """
    method = _start_method(options.device)
    context = multiprocessing.get_context(method)
    if method == "forkserver":
        warm_up()
    threads = max(1, n_cores() // jobs)
    processes: list[BaseProcess] = [
        context.Process(target=_job, args=(prepared, plan, options, threads), name=f"job {number}")  # type: ignore[attr-defined]
        for number in range(jobs)
    ]
    # What is forked off the server is as deaf as the server was at its start; what begins anew is as deaf as this one.
    starting = interrupts_wait if method == "forkserver" else _deaf_to_interrupts
    try:
        with starting():
            for process in processes:
                process.start()
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


@contextmanager
def interrupts_wait() -> Iterator[None]:
    """Ctrl-C in the body is raised behind it: loading torch may take it seconds, and nothing shall be half begun."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    heard: list[int] = []
    former = signal.signal(signal.SIGINT, lambda number, _: heard.append(number))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, former)
    if heard:
        raise KeyboardInterrupt


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
        pipeline.run.worker.Worker(prepared, plan, options, lambda: None).run()
    except KeyboardInterrupt:
        raise SystemExit(_INTERRUPTED) from None
    except InputError as error:
        print(f"error: {error}", flush=True)
        raise SystemExit(_BAD_INPUT) from None


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt
