"""The three ways in one run, repeat by repeat in turn, so that a machine's moods hit all alike."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from transformers import AutoTokenizer
from transformers.utils import logging as transformers_logging

from donorgrid.bench import donorgrid_way as ours
from donorgrid.bench import hugging_face as hf
from donorgrid.bench.processes import Jobs, side_by_side, stage
from donorgrid.bench.timing import Clock, Stage
from donorgrid.bench.workload import Work

RELEASE, PEER, OWN = "release", "peer", "donorgrid"
_RELEASE_WIDTH, _RELEASE_BATCH = 512, 8
_PEER_BATCHES = (8, 32, 128)


@dataclass(frozen=True, kw_only=True)
class Shares:
    """How many texts and items of each target a repeat takes; times are scaled up to the whole, start-up times are not.

    Stages of a few seconds in turn are hit alike by what else the machine does; whole ones of minutes are not.
    """

    texts: int
    items: int
    release_texts: int
    release_items: int


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Times of all stages, and by way which of how many items it answers otherwise than donorgrid, by the same adapter.

    An item is told as "target number: donorgrid's option, the way's option", all counted from 0.
    """

    work: Work
    stages: tuple[Stage, ...]
    whole_s: dict[tuple[str, str], tuple[float, float]]
    peer_batch: int
    jobs: int
    once_s: float
    differing: dict[str, tuple[list[str], int]]
    n_needed: int
    n_computed: int
    product_rate: float

    def cell_s(self, way: str, *, of_cpu: bool) -> float:
        """Seconds of one whole cell: one adapter trained, every target scored."""
        return sum(times[of_cpu] for (whose, _), times in self.whole_s.items() if whose == way)


def compare(
    work: Work,
    shares: Shares,
    *,
    repeats: int,
    jobs: int = 1,
    ways: tuple[str, ...] = (RELEASE, PEER, OWN),
    say: Callable[[str], None] = print,
) -> Comparison:
    """Run the ways ``repeats`` times in turn, each with all of the work's threads.

    donorgrid's cells are done by ``jobs`` processes side by side, which share the threads; its seconds are those of one
    cell. The answers are compared on donorgrid's adapter.
    """
    torch.set_num_threads(work.threads)
    transformers_logging.disable_progress_bar()
    clock = Clock()
    start = time.perf_counter()
    own = ours.make_own(work, n_items=shares.items)
    once_s = time.perf_counter() - start
    batch = _best_batch(work, own) if PEER in ways else 0
    differing: dict[str, tuple[list[str], int]] = {}
    with side_by_side(work, n=jobs, n_items=shares.items) as cells:
        for repeat in range(repeats):
            mine = _own(work, cells, clock, repeat, shares)
            if PEER in ways:
                differing[PEER] = _differing(mine, _peer(work, own, cells.adapter, clock, repeat, shares, batch))
            if RELEASE in ways:
                differing[RELEASE] = _differing(mine, _release(work, own, cells.adapter, clock, repeat, shares))
            say(
                f"repeat {repeat + 1} of {repeats}: "
                + ", ".join(_line(one) for one in clock.stages if one.repeat == repeat)
            )
    names = dict.fromkeys((one.way, one.stage) for one in clock.stages)
    return Comparison(
        work=work,
        stages=tuple(clock.stages),
        whole_s={one: (clock.whole_s(*one, of_cpu=False), clock.whole_s(*one, of_cpu=True)) for one in names},
        peer_batch=batch,
        jobs=jobs,
        once_s=once_s,
        differing=differing,
        n_needed=own.n_needed,
        n_computed=own.n_computed,
        product_rate=product_rate(own.base.network.dtype),
    )


def product_rate(dtype: torch.dtype, *, size: int = 1024) -> float:
    """The machine's rate of dense products, floating-point operations a second: the best of many."""
    one = torch.randn(size, size).to(dtype)
    best = float("inf")
    for _ in range(20):
        start = time.perf_counter()
        one @ one
        best = min(best, time.perf_counter() - start)
    return 2 * size**3 / best


def _own(work: Work, cells: Jobs, clock: Clock, repeat: int, shares: Shares) -> hf.Answers:
    n_all = len(work.texts.train)
    n_texts = min(shares.texts, n_all)
    trained = cells.train(n_texts=n_texts)
    clock.stages.append(stage("train", trained, way=OWN, repeat=repeat, share=n_texts / n_all))
    *scored, answers = cells.score(list(work.texts.targets))
    share = _limit(work, shares.items)[1]
    clock.stages.append(stage("score", (scored[0], scored[1]), way=OWN, repeat=repeat, share=share))
    return answers


def _peer(
    work: Work, own: ours.Own, adapter: Path, clock: Clock, repeat: int, shares: Shares, batch: int
) -> hf.Answers:
    """The base stays in memory; its adapter is trained by HF's Trainer, its answers are lm-eval's in process."""
    network = hf.load(work.checkpoint, work)
    n_texts = min(shares.texts, len(work.texts.train))
    with clock.stage(PEER, "train", repeat=repeat, share=n_texts / len(work.texts.train)):
        hf.train(network, work, hf.training_rows(work, n_texts=n_texts), pad_to=None, folder=work.folder / "peer")
    limit, share = _limit(work, shares.items)
    with own.adapter_switch.active(adapter), clock.stage(PEER, "score", repeat=repeat, share=share):
        return hf.lm_eval_in_process(own.base.network, work, list(own.packed), batch_size=batch, limit=limit)


def _release(work: Work, own: ours.Own, adapter: Path, clock: Clock, repeat: int, shares: Shares) -> hf.Answers:
    """Every adapter in processes of its own: texts padded to 512, merged, saved, loaded again by lm-eval's command."""
    n_texts = min(shares.release_texts, len(work.texts.train))
    with clock.stage(RELEASE, "load", repeat=repeat):
        network = hf.load(work.checkpoint, work)
    with clock.stage(RELEASE, "train", repeat=repeat, share=n_texts / len(work.texts.train)):
        rows = hf.training_rows(work, n_texts=n_texts)
        adapted = hf.train(network, work, rows, pad_to=_RELEASE_WIDTH, folder=work.folder / "release")
    folder = work.folder / "merged"
    with clock.stage(RELEASE, "merge and save", repeat=repeat):
        adapted.merge_and_unload().save_pretrained(folder)
        AutoTokenizer.from_pretrained(work.checkpoint).save_pretrained(folder)
    with own.adapter_switch.active(adapter):  # the command shall answer for the adapter that the others answer for
        own.base.network.save_pretrained(folder)
    targets = list(own.packed)
    with clock.stage(RELEASE, "start lm-eval", repeat=repeat):
        hf.lm_eval_command(folder, work, targets, batch_size=_RELEASE_BATCH, limit=1)
    started = clock.stages[-1]
    limit, share = _limit(work, shares.release_items)
    with clock.stage(RELEASE, "score", repeat=repeat, share=share):
        answers = hf.lm_eval_command(folder, work, targets, batch_size=_RELEASE_BATCH, limit=limit)
    whole = clock.stages.pop()
    clock.stages.append(
        Stage(
            way=RELEASE,
            stage="score",
            repeat=repeat,
            wall_s=whole.wall_s - started.wall_s,
            cpu_s=whole.cpu_s - started.cpu_s,
            share=share,
        )
    )
    return answers


def _best_batch(work: Work, own: ours.Own) -> int:
    """The peer's best batch size, by trial on a few items of each target."""
    times = {}
    for batch in _PEER_BATCHES:
        start = time.process_time()
        hf.lm_eval_in_process(own.base.network, work, list(own.packed), batch_size=batch, limit=_limit(work, 16)[0])
        times[batch] = time.process_time() - start
    return min(times, key=lambda one: times[one])


def _limit(work: Work, n_items: int) -> tuple[int, float]:
    """How many items of each target are scored, and which share of all that is."""
    sizes = [len(questions) for questions in work.texts.targets.values()]
    return n_items, sum(min(n_items, size) for size in sizes) / sum(sizes)


def _differing(mine: hf.Answers, theirs: hf.Answers) -> tuple[list[str], int]:
    """On which items the options chosen differ, and how many were compared."""
    compared = [
        (f"{target} {number}: {one}, {other}", one != other)
        for target, chosen in theirs.items()
        for number, (one, other) in enumerate(zip(mine[target], chosen, strict=False))
    ]
    return [said for said, differs in compared if differs], len(compared)


def _line(stage: Stage) -> str:
    return f"{stage.way} {stage.stage} {stage.wall_s:.1f} s ({stage.cpu_s:.1f} s of processor)"
