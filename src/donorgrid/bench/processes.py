"""donorgrid's way as ``donorgrid run`` works: several processes side by side, each with a cell of its own."""

import multiprocessing
import shutil
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection
from pathlib import Path

import torch

from donorgrid.bench import donorgrid_way as ours
from donorgrid.bench.timing import Stage, cpu_s
from donorgrid.bench.workload import Work
from donorgrid.core.errors import RunFailure

Answers = dict[str, list[int]]


@dataclass(frozen=True, kw_only=True)
class _Order:
    """Train on ``n_texts`` texts, or score ``targets``."""

    n_texts: int = 0
    targets: tuple[str, ...] = ()


class Jobs:
    """Processes that have all loaded the base and packed the targets, and wait for the next stage."""

    def __init__(self, connections: Sequence[Connection], folder: Path) -> None:
        self._connections = connections
        self.adapter = _adapter(folder, 0)

    def train(self, *, n_texts: int) -> tuple[float, float]:
        """Train one adapter in each process: wall and processor seconds for one."""
        return self._all(_Order(n_texts=n_texts))[:2]

    def score(self, targets: Sequence[str]) -> tuple[float, float, Answers]:
        """Score all targets in each process with its adapter: seconds likewise, and what the first one answered."""
        return self._all(_Order(targets=tuple(targets)))

    def _all(self, order: _Order) -> tuple[float, float, Answers]:
        start = time.perf_counter()
        for one in self._connections:
            one.send(order)
        done = [_received(one) for one in self._connections]
        n = len(done)
        return (time.perf_counter() - start) / n, sum(cpu for cpu, _ in done) / n, done[0][1]


@contextmanager
def side_by_side(work: Work, *, n: int, n_items: int) -> Iterator[Jobs]:
    """``n`` processes that share the threads of ``work``; they end with the body."""
    context = multiprocessing.get_context("spawn")
    each = replace(work, threads=max(1, work.threads // n))
    pipes = [context.Pipe() for _ in range(n)]
    processes = [
        context.Process(target=_work, args=(end, each, number, n_items)) for number, (_, end) in enumerate(pipes)
    ]
    for process in processes:
        process.start()
    for _, end in pipes:
        end.close()
    try:
        connections = [mine for mine, _ in pipes]
        for one in connections:
            _received(one)
        yield Jobs(connections, work.folder)
    finally:
        for mine, _ in pipes:
            mine.close()
        for process in processes:
            process.join()


def stage(name: str, seconds: tuple[float, float], *, way: str, repeat: int, share: float) -> Stage:
    """Seconds per cell as a stage of a way."""
    return Stage(way=way, stage=name, repeat=repeat, wall_s=seconds[0], cpu_s=seconds[1], share=share)


def _work(orders: Connection, work: Work, number: int, n_items: int) -> None:
    torch.set_num_threads(work.threads)
    own = ours.make_own(work, n_items=n_items)
    adapter = _adapter(work.folder, number)
    orders.send((0.0, {}))
    while True:
        try:
            order: _Order = orders.recv()
        except EOFError:  # the other end is closed: there is no more to do
            return
        start = cpu_s()
        answers: Answers = {}
        if order.n_texts:
            shutil.rmtree(adapter, ignore_errors=True)
            ours.train(own, adapter, n_texts=order.n_texts)
        else:
            answers = ours.score(own, adapter, order.targets)
        orders.send((cpu_s() - start, answers))


def _received(connection: Connection) -> tuple[float, Answers]:
    try:
        found: tuple[float, Answers] = connection.recv()
    except EOFError:
        raise RunFailure("a process of the benchmark ended early; its error is above") from None
    return found


def _adapter(folder: Path, number: int) -> Path:
    return folder / f"adapter-{number}"
