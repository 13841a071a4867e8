"""Runs the three ways in turn, repeat by repeat, so that changes in the machine's speed affect all of them alike."""

import time
from collections.abc import Callable
from dataclasses import dataclass

import torch
from transformers.utils import logging as transformers_logging

from donorgrid.bench.donorgrid_way import load_workload
from donorgrid.bench.lm_eval_scoring import Answers
from donorgrid.bench.processes import worker_processes
from donorgrid.bench.timing import Clock, Stage
from donorgrid.bench.ways import (
    DONORGRID,
    PEER,
    RELEASE,
    Repeat,
    Sizes,
    best_peer_batch,
    run_donorgrid,
    run_peer,
    run_release,
)
from donorgrid.bench.workload import Workload


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Times of all stages, and the items on which a way chooses another option than donorgrid.

    Attributes
    ----------
    workload
        What was measured.
    stages
        Every stage of every repeat.
    whole_s
        (way, stage) to (wall seconds, processor seconds) for the whole workload, by the fastest repeat.
    peer_batch
        The peer's batch size; 0 if the peer was not run.
    jobs
        donorgrid's processes.
    load_s
        Seconds to load the base model and pack the targets, once per study.
    differing
        Way to (items, number of compared items), by the same adapter. An item is written as
        ``target number: donorgrid's option, the way's option``, all counted from 0.
    n_needed, n_computed
        Tokens that must be read, and that are read, to score all targets once.
    product_rate
        Floating-point operations per second of dense products on this machine.
    """

    workload: Workload
    stages: tuple[Stage, ...]
    whole_s: dict[tuple[str, str], tuple[float, float]]
    peer_batch: int
    jobs: int
    load_s: float
    differing: dict[str, tuple[list[str], int]]
    n_needed: int
    n_computed: int
    product_rate: float

    def cell_s(self, way: str, *, of_cpu: bool) -> float:
        """Seconds of one whole cell (one adapter trained, every target scored), by the wall or of the processor."""
        return sum(times[of_cpu] for (stage_way, _), times in self.whole_s.items() if stage_way == way)


def compare(
    workload: Workload,
    sizes: Sizes,
    *,
    repeats: int,
    jobs: int = 1,
    ways: tuple[str, ...] = (RELEASE, PEER, DONORGRID),
    say: Callable[[str], None] = print,
) -> Comparison:
    """Runs the ways in turn.

    Parameters
    ----------
    workload
        What is measured, and the number of threads that each way uses.
    sizes
        How much of the workload a repeat does.
    repeats
        The number of repeats.
    jobs
        Processes that share the threads in donorgrid's way; its seconds are those of one cell.
    ways
        Which ways are run; donorgrid's always is.
    say
        Receives a line per repeat.

    Returns
    -------
    Comparison
        All answers are given with donorgrid's adapter.
    """
    torch.set_num_threads(workload.threads)
    transformers_logging.disable_progress_bar()
    clock = Clock()
    start = time.perf_counter()
    loaded = load_workload(workload, n_items=sizes.items)
    load_s = time.perf_counter() - start
    peer_batch = best_peer_batch(loaded) if PEER in ways else 0
    differing: dict[str, tuple[list[str], int]] = {}
    with worker_processes(workload, n=jobs, n_items=sizes.items) as processes:
        for number in range(repeats):
            repeat = Repeat(number=number, clock=clock, loaded=loaded, sizes=sizes)
            answers = run_donorgrid(repeat, processes)
            if PEER in ways:
                differing[PEER] = differing_items(answers, run_peer(repeat, processes.adapter, peer_batch))
            if RELEASE in ways:
                differing[RELEASE] = differing_items(answers, run_release(repeat, processes.adapter))
            stages = ", ".join(_line(stage) for stage in clock.stages if stage.repeat == number)
            say(f"repeat {number + 1} of {repeats}: {stages}")
    names = dict.fromkeys((stage.way, stage.stage) for stage in clock.stages)
    return Comparison(
        workload=workload,
        stages=tuple(clock.stages),
        whole_s={name: (clock.whole_s(*name, of_cpu=False), clock.whole_s(*name, of_cpu=True)) for name in names},
        peer_batch=peer_batch,
        jobs=jobs,
        load_s=load_s,
        differing=differing,
        n_needed=loaded.n_needed,
        n_computed=loaded.n_computed,
        product_rate=product_rate(loaded.base.network.dtype),
    )


def product_rate(dtype: torch.dtype, *, size: int = 1024) -> float:
    """The machine's rate of dense matrix products.

    Parameters
    ----------
    dtype
        The precision.
    size
        Rows and columns of the matrix.

    Returns
    -------
    float
        Floating-point operations per second, the best of 20 products.
    """
    matrix = torch.randn(size, size).to(dtype)
    best = float("inf")
    for _ in range(20):
        start = time.perf_counter()
        matrix @ matrix
        best = min(best, time.perf_counter() - start)
    return 2 * size**3 / best


def differing_items(ours: Answers, theirs: Answers) -> tuple[list[str], int]:
    """The items on which the chosen options differ.

    Parameters
    ----------
    ours, theirs
        Target to chosen options; ``theirs`` may have fewer items.

    Returns
    -------
    items : list of str
        ``target number: our option, their option``.
    n_compared : int
        The number of compared items.
    """
    compared = [
        (f"{target} {number}: {our_option}, {their_option}", our_option != their_option)
        for target, options in theirs.items()
        for number, (our_option, their_option) in enumerate(zip(ours[target], options, strict=False))
    ]
    return [item for item, differs in compared if differs], len(compared)


def _line(stage: Stage) -> str:
    return f"{stage.way} {stage.stage} {stage.wall_s:.1f} s ({stage.cpu_s:.1f} s of processor time)"
