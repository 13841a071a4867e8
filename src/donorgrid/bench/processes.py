"""Parallel processes for donorgrid's way, as ``donorgrid run`` uses them: each process does a cell of its own."""

import multiprocessing
import shutil
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection
from pathlib import Path

import torch

from donorgrid.bench import donorgrid_way
from donorgrid.bench.lm_eval_scoring import Answers
from donorgrid.bench.timing import cpu_s
from donorgrid.bench.workload import Workload
from donorgrid.core.errors import RunFailure


@dataclass(frozen=True, kw_only=True)
class _Request:
    """Train on ``n_texts`` texts, or score ``targets``."""

    n_texts: int = 0
    targets: tuple[str, ...] = ()


class WorkerProcesses:
    """Processes that have loaded the base model and packed the targets, and wait for requests."""

    def __init__(self, connections: Sequence[Connection], folder: Path) -> None:
        self._connections = connections
        self.adapter = _adapter(folder, 0)

    def train(self, *, n_texts: int) -> tuple[float, float]:
        """Trains one adapter in each process. Returns (wall seconds, processor seconds) per adapter."""
        return self._in_all(_Request(n_texts=n_texts))[:2]

    def score(self, targets: Sequence[str]) -> tuple[float, float, Answers]:
        """Scores all targets in each process with its adapter. Returns both times and the first process's answers."""
        return self._in_all(_Request(targets=tuple(targets)))

    def _in_all(self, request: _Request) -> tuple[float, float, Answers]:
        start = time.perf_counter()
        for connection in self._connections:
            connection.send(request)
        replies = [_received(connection) for connection in self._connections]
        n = len(replies)
        return (time.perf_counter() - start) / n, sum(cpu for cpu, _ in replies) / n, replies[0][1]


@contextmanager
def worker_processes(workload: Workload, *, n: int, n_items: int) -> Iterator[WorkerProcesses]:
    """Starts processes that share the workload's threads, and ends them with the ``with`` block.

    Parameters
    ----------
    workload
        What is measured.
    n
        The number of processes.
    n_items
        The first items of each target are packed.

    Yields
    ------
    WorkerProcesses
        When all processes are ready.

    Raises
    ------
    RunFailure
        If a process ends early.
    """
    context = multiprocessing.get_context("spawn")
    of_process = replace(workload, threads=max(1, workload.threads // n))
    pipes = [context.Pipe() for _ in range(n)]
    processes = [
        context.Process(target=_serve, args=(far_end, of_process, number, n_items))
        for number, (_, far_end) in enumerate(pipes)
    ]
    for process in processes:
        process.start()
    for _, far_end in pipes:
        far_end.close()
    try:
        connections = [near_end for near_end, _ in pipes]
        for connection in connections:
            _received(connection)
        yield WorkerProcesses(connections, workload.folder)
    finally:
        for near_end, _ in pipes:
            near_end.close()
        for process in processes:
            process.join()


def _serve(connection: Connection, workload: Workload, number: int, n_items: int) -> None:
    torch.set_num_threads(workload.threads)
    loaded = donorgrid_way.load_workload(workload, n_items=n_items)
    adapter = _adapter(workload.folder, number)
    connection.send((0.0, {}))
    while True:
        try:
            request: _Request = connection.recv()
        except EOFError:  # the other end is closed
            return
        start = cpu_s()
        answers: Answers = {}
        if request.n_texts:
            shutil.rmtree(adapter, ignore_errors=True)
            donorgrid_way.train(loaded, adapter, n_texts=request.n_texts)
        else:
            answers = donorgrid_way.score(loaded, adapter, request.targets)
        connection.send((cpu_s() - start, answers))


def _received(connection: Connection) -> tuple[float, Answers]:
    try:
        reply: tuple[float, Answers] = connection.recv()
    except EOFError:
        raise RunFailure("a process of the benchmark ended early; its error is above") from None
    return reply


def _adapter(folder: Path, number: int) -> Path:
    return folder / f"adapter-{number}"
