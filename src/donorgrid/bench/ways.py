"""One repeat of each way, timed stage by stage."""

import time
from dataclasses import dataclass
from pathlib import Path

from transformers import AutoTokenizer

from donorgrid.bench import hf_training, lm_eval_scoring
from donorgrid.bench.donorgrid_way import LoadedWorkload
from donorgrid.bench.lm_eval_scoring import Answers
from donorgrid.bench.processes import WorkerProcesses
from donorgrid.bench.timing import Clock, Stage
from donorgrid.bench.workload import Workload

RELEASE, PEER, DONORGRID = "release", "peer", "donorgrid"
_RELEASE_WIDTH, _RELEASE_BATCH = 512, 8
_PEER_BATCHES = (8, 32, 128)


@dataclass(frozen=True, kw_only=True)
class Sizes:
    """How many texts and how many items of each target a repeat uses.

    Times are scaled up to the whole workload; start-up times are not. Short stages that alternate are affected alike by
    other work on the machine, stages of minutes are not.
    """

    texts: int
    items: int
    release_texts: int
    release_items: int


@dataclass(frozen=True, kw_only=True)
class Repeat:
    """What a repeat of a way needs.

    Attributes
    ----------
    number
        From 0.
    clock
        Collects the stages.
    loaded
        The base model in memory.
    sizes
        How much of the workload is done.
    """

    number: int
    clock: Clock
    loaded: LoadedWorkload
    sizes: Sizes

    @property
    def workload(self) -> Workload:
        """What is measured."""
        return self.loaded.workload

    def share_of_texts(self, n_texts: int) -> float:
        """The share of all training texts, 0-1."""
        return n_texts / len(self.workload.texts.train)

    def share_of_items(self, n_items: int) -> float:
        """The share of all items if ``n_items`` of each target are scored, 0-1."""
        sizes = [len(questions) for questions in self.workload.texts.targets.values()]
        return sum(min(n_items, size) for size in sizes) / sum(sizes)


def run_donorgrid(repeat: Repeat, processes: WorkerProcesses) -> Answers:
    """donorgrid's way in parallel processes; seconds are those of one cell.

    Parameters
    ----------
    repeat
        The workload and the clock.
    processes
        Ready worker processes.

    Returns
    -------
    dict of str to list of int
        The first process's answers.
    """
    workload = repeat.workload
    n_texts = min(repeat.sizes.texts, len(workload.texts.train))
    wall_s, processor_s = processes.train(n_texts=n_texts)
    share = repeat.share_of_texts(n_texts)
    repeat.clock.add(
        Stage(way=DONORGRID, stage="train", repeat=repeat.number, wall_s=wall_s, cpu_s=processor_s, share=share)
    )
    wall_s, processor_s, answers = processes.score(list(workload.texts.targets))
    share = repeat.share_of_items(repeat.sizes.items)
    repeat.clock.add(
        Stage(way=DONORGRID, stage="score", repeat=repeat.number, wall_s=wall_s, cpu_s=processor_s, share=share)
    )
    return answers


def run_peer(repeat: Repeat, adapter: Path, batch_size: int) -> Answers:
    """The peer's way: an adapter trained by HF's Trainer, answers by lm-eval in process on the base in memory.

    Parameters
    ----------
    repeat
        The workload and the clock.
    adapter
        donorgrid's adapter, on which answers are compared.
    batch_size
        lm-eval's batch size.

    Returns
    -------
    dict of str to list of int
        The answers of ``adapter``.
    """
    workload, clock = repeat.workload, repeat.clock
    network = hf_training.load(workload.checkpoint, workload)
    n_texts = min(repeat.sizes.texts, len(workload.texts.train))
    with clock.stage(PEER, "train", repeat=repeat.number, share=repeat.share_of_texts(n_texts)):
        rows = hf_training.training_rows(workload, n_texts=n_texts)
        hf_training.train(network, workload, rows, pad_to=None, folder=workload.folder / "peer")
    n_items, targets = repeat.sizes.items, list(repeat.loaded.packed)
    with (
        repeat.loaded.adapter_switch.active(adapter),
        clock.stage(PEER, "score", repeat=repeat.number, share=repeat.share_of_items(n_items)),
    ):
        base_network = repeat.loaded.base.network
        return lm_eval_scoring.lm_eval_in_process(base_network, workload, targets, batch_size=batch_size, limit=n_items)


def run_release(repeat: Repeat, adapter: Path) -> Answers:
    """The release's way: texts padded to 512, the adapter merged, saved, and loaded again by lm-eval's command.

    Parameters
    ----------
    repeat
        The workload and the clock.
    adapter
        donorgrid's adapter, on which answers are compared.

    Returns
    -------
    dict of str to list of int
        The answers of ``adapter``.
    """
    workload, clock, sizes = repeat.workload, repeat.clock, repeat.sizes
    n_texts = min(sizes.release_texts, len(workload.texts.train))
    with clock.stage(RELEASE, "load", repeat=repeat.number):
        network = hf_training.load(workload.checkpoint, workload)
    with clock.stage(RELEASE, "train", repeat=repeat.number, share=repeat.share_of_texts(n_texts)):
        rows = hf_training.training_rows(workload, n_texts=n_texts)
        adapted = hf_training.train(network, workload, rows, pad_to=_RELEASE_WIDTH, folder=workload.folder / "release")
    folder = workload.folder / "merged"
    with clock.stage(RELEASE, "merge and save", repeat=repeat.number):
        adapted.merge_and_unload().save_pretrained(folder)
        AutoTokenizer.from_pretrained(workload.checkpoint).save_pretrained(folder)
    with repeat.loaded.adapter_switch.active(adapter):  # answers are compared on donorgrid's adapter
        repeat.loaded.base.network.save_pretrained(folder)
    targets, n_items = list(repeat.loaded.packed), sizes.release_items
    with clock.stage(RELEASE, "start lm-eval", repeat=repeat.number):
        lm_eval_scoring.lm_eval_command(folder, workload, targets, batch_size=_RELEASE_BATCH, limit=1)
    with clock.stage(RELEASE, "score", repeat=repeat.number, share=repeat.share_of_items(n_items)):
        answers = lm_eval_scoring.lm_eval_command(folder, workload, targets, batch_size=_RELEASE_BATCH, limit=n_items)
    clock.subtract_from_last(clock.stages[-2])
    return answers


def best_peer_batch(loaded: LoadedWorkload) -> int:
    """The peer's fastest batch size, by a trial on 16 items of each target."""
    times = {}
    for batch_size in _PEER_BATCHES:
        start = time.process_time()
        lm_eval_scoring.lm_eval_in_process(
            loaded.base.network, loaded.workload, list(loaded.packed), batch_size=batch_size, limit=16
        )
        times[batch_size] = time.process_time() - start
    return min(times, key=lambda batch_size: times[batch_size])
