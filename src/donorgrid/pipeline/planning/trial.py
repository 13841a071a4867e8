"""A short measured trial: how many tokens per second this machine trains and scores, kind by kind of work."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import zip_longest

from donorgrid import models
from donorgrid.core.records import Item, Run
from donorgrid.pipeline.prepare.study import Prepared
from donorgrid.pipeline.session.devices import n_cores
from donorgrid.pipeline.session.study_session import StudySession
from donorgrid.plan.cost import Amount, Part, PartKind, Speed
from donorgrid.score.exact_and_fast import SAMPLE_ITEMS

_MOST_PARTS = 3
"""So many tasks of a kind of work are tried, those with most tokens; the others count as these."""
_ENOUGH_S = 1.0
"""A measurement that took less is repeated with more texts or items."""
_MOST_REPEATS = 8
_SHORTEST_S = 1e-3
_FEW: Mapping[PartKind, int] = {"training": 8, "scoring": 12, "few-shot": 3}
"""Texts or items of the first measurement."""


@dataclass(frozen=True, kw_only=True)
class Trial:
    """What was measured.

    Attributes
    ----------
    speeds : dict of Part to Speed
        The speeds of the parts that were tried.
    ready_s : float
        Seconds until the model is in memory and checked.
    seconds : float
        How long the trial took.
    """

    speeds: dict[Part, Speed]
    ready_s: float
    seconds: float


def trial_speeds(prepared: Prepared, model: str, work: Mapping[Part, Amount], *, device: str, jobs: int) -> Trial:
    """The speed of one process, measured with a sample of each kind of work.

    Parameters
    ----------
    prepared : Prepared
        The study.
    model : str
        The name of one of its models.
    work : mapping of Part to Amount
        Tokens and starts of each part of the work.
    device : str
        A device of torch.
    jobs : int
        How many processes will share the machine's cores.

    Returns
    -------
    Trial
    """
    session = StudySession(prepared, model, device=device)
    speeds: dict[Part, Speed] = {}
    with models.loading.threads_set(max(1, n_cores() // jobs) if device == "cpu" else None):
        start = time.perf_counter()
        session.load()
        ready_s = time.perf_counter() - start
        for part in _tried(work):
            measured = _trial_of(part, prepared, model, session)
            if not any(part.is_like(tried) for tried in speeds):
                measured(1)  # warms up: kernels are compiled when they are first used
            smallest, few = _sizes(prepared, part)
            speeds[part] = _speed(measured, few, smallest=smallest)
    return Trial(speeds=speeds, ready_s=ready_s, seconds=time.perf_counter() - start)


def _tried(work: Mapping[Part, Amount]) -> list[Part]:
    """The parts that are tried: those with most tokens, for each kind of work and recipe."""
    groups: dict[object, list[Part]] = {}
    for part in sorted(work, key=lambda part: -work[part].n_tokens):
        groups.setdefault((part.kind, part.recipe), []).append(part)
    return [part for group in groups.values() for part in group[:_MOST_PARTS]]


def _trial_of(part: Part, prepared: Prepared, model: str, session: StudySession) -> Callable[[int], int]:
    """The work that is measured: it takes a number of texts or items and returns the tokens that it read."""
    if part.kind == "training":
        run = next(run for run in prepared.grid.runs if run.model == model and _trains(run, part))
        session.training.check_packing(run.recipe.precision)
        return lambda n_texts: session.training.trial(run, n_texts)
    items = _sample(prepared, part.task)
    if part.kind == "scoring":
        return lambda n_items: session.score_sample(items[:n_items])
    subject = next(subject for subject in prepared.grid.prompted if subject.model == model)
    return lambda n_items: session.score_sample(items[:n_items], prepared.examples[subject])


def _sizes(prepared: Prepared, part: Part) -> tuple[int, int]:
    """The texts or items of the two measurements.

    Exact and fast scoring reads a sample of each target in float32 first: both measurements have such a sample, so that
    it counts for each start.
    """
    few = _FEW[part.kind]
    if part.kind == "training" or not prepared.study.scoring.exact_and_fast:
        return 1, few
    sizes = [len(prepared.cells[cell].test) for cell in prepared.grid.targets if cell.task == part.task]
    smallest = SAMPLE_ITEMS + 1
    return (smallest, min(smallest + 2 * few, max(sizes))) if max(sizes) > smallest + few else (1, few)


def _trains(run: Run, part: Part) -> bool:
    return run.recipe == part.recipe and run.source.cells[0].task == part.task


def _sample(prepared: Prepared, task: str) -> list[Item]:
    """Items of a task from all its languages in turn, spread over each language's items."""
    most = _FEW["scoring"] * _MOST_REPEATS
    languages = [prepared.cells[cell].test for cell in prepared.grid.targets if cell.task == task]
    spread = [items[:: max(1, len(items) // most)] for items in languages]
    return [item for items in zip_longest(*spread) for item in items if item is not None]


def _speed(work: Callable[[int], int], size: int, *, smallest: int = 1) -> Speed:
    """The speed of ``work``, from a small and a larger measurement: what both need counts for each start."""
    few_tokens, few_seconds = _timed(work, smallest)
    n_tokens, seconds = _timed(work, size)
    if seconds - few_seconds < _ENOUGH_S:
        size *= min(_MOST_REPEATS, int(_ENOUGH_S / max(seconds - few_seconds, _ENOUGH_S / _MOST_REPEATS)) + 1)
        n_tokens, seconds = _timed(work, size)
    per_token = max(seconds - few_seconds, _SHORTEST_S) / max(n_tokens - few_tokens, 1)
    return Speed(tokens_per_s=1.0 / per_token, start_s=max(0.0, few_seconds - few_tokens * per_token))


def _timed(work: Callable[[int], int], size: int) -> tuple[int, float]:
    start = time.perf_counter()
    n_tokens = work(size)
    return n_tokens, time.perf_counter() - start
