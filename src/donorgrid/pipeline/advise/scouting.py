"""Scouting: train what tells most, look, and go on, until the budget is spent or more would not change the choice."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from donorgrid.advise.next_step import Measurement, NextStep, next_steps
from donorgrid.advise.wishes import Wish
from donorgrid.pipeline.advise.evidence_at_hand import EvidenceAtHand
from donorgrid.pipeline.advise.judged_arms import fit_to_knowledge, judge_arm
from donorgrid.pipeline.advise.measurements import possible_measurements
from donorgrid.pipeline.advise.recommend import Recommendation, recommend_from
from donorgrid.pipeline.advise.request import AdviceRequest
from donorgrid.statistics.transfer_model.model import TransferModel
from donorgrid.statistics.transfer_model.source_covariances import SourceParts

ENOUGH_PP = 0.1
"""Scouting stops when the rest of the budget is expected to improve the choice by less."""
_MOST_LOOKED_AHEAD = 4

Stopped = Literal["the choice is safe", "the budget is spent", "every source is trained"]
Measure = Callable[[Sequence[str]], EvidenceAtHand]
"""Trains the named sources, if they are not trained yet, and returns everything that was measured."""


@dataclass(frozen=True, kw_only=True)
class Scouted:
    """Where scouting ended.

    Attributes
    ----------
    recommendation : Recommendation
        From everything that was measured.
    trained : tuple of str
        The sources in the order in which they were chosen.
    stopped : str
        Why it ended.
    """

    recommendation: Recommendation
    trained: tuple[str, ...]
    stopped: Stopped


@dataclass(frozen=True, kw_only=True)
class Scouting:
    """What scouting may do.

    Attributes
    ----------
    sources : mapping of str to SourceParts
        What may be trained.
    wish : Wish
        What is wanted and guarded.
    request : AdviceRequest
        How many draws; its budget is the number of sources that may be trained.
    start : EvidenceAtHand
        What is known before anything is trained.
    may_stop : bool
        False to spend the whole budget.
    """

    sources: Mapping[str, SourceParts]
    wish: Wish
    request: AdviceRequest
    start: EvidenceAtHand
    may_stop: bool = True

    @property
    def budget(self) -> int:
        """The sources that may be trained."""
        return min(int(self.request.budget or 1), len(self.sources))


def run_scouting(
    scouting: Scouting,
    measure: Measure,
    *,
    trained: Sequence[str] = (),
    on_round: Callable[[Sequence[str], Recommendation], None] = lambda *_: None,
) -> Scouted:
    """Choose sources, have them measured, and go on.

    The first round trains the source of every task that tells most; each further one a single source.

    Parameters
    ----------
    scouting : Scouting
        What may be trained, for what.
    measure : callable
        Trains sources and returns the evidence.
    trained : sequence of str
        Sources that a former run chose.
    on_round : callable
        Receives what was trained so far and the recommendation, after each round.

    Returns
    -------
    Scouted
    """
    request = replace(scouting.request, n_next=0, budget=None)
    chosen = list(trained) or _first_sources(scouting)
    model: TransferModel | None = None
    while True:
        evidence = replace(measure(chosen), planned=scouting.sources)
        if model is None and evidence.knowledge is not None:
            model = fit_to_knowledge(evidence, scouting.wish, with_typology=request.with_typology)
        told = recommend_from(evidence, scouting.wish, request, model=model)
        on_round(chosen, told)
        if len(chosen) >= scouting.budget:
            reason: Stopped = (
                "every source is trained" if len(chosen) == len(scouting.sources) else "the budget is spent"
            )
            return Scouted(recommendation=told, trained=tuple(chosen), stopped=reason)
        ahead = _steps_ahead(told, scouting, chosen)
        is_safe = scouting.may_stop and told.decision.action != "measure first"
        if is_safe and ahead[-1].improvement_pp < ENOUGH_PP:
            return Scouted(recommendation=told, trained=tuple(chosen), stopped="the choice is safe")
        chosen.append(ahead[0].measurement.label)


def _first_sources(scouting: Scouting) -> list[str]:
    """The source of each task that tells most, before anything of the model is known."""
    start = replace(scouting.start, planned=scouting.sources)
    model = fit_to_knowledge(start, scouting.wish, with_typology=scouting.request.with_typology)
    arm = judge_arm(start.arms[0], scouting.wish, start, model=model, n_draws=scouting.request.n_draws)
    tasks = {cell.task for parts in scouting.sources.values() for cell in parts}
    measurements = _trainings(possible_measurements(arm, scouting.wish, start), scouting, ())
    n_steps = min(len(tasks), scouting.budget)
    steps = next_steps(arm.draws, scouting.wish, measurements, n_steps=n_steps, one_per_task=True)
    return [step.measurement.label for step in steps]


def _steps_ahead(told: Recommendation, scouting: Scouting, chosen: Sequence[str]) -> list[NextStep]:
    """The next sources to train, a few of them: what they are worth together is what going on is worth."""
    measurements = possible_measurements(told.arm, scouting.wish, told.evidence)
    n_steps = min(scouting.budget - len(chosen), _MOST_LOOKED_AHEAD)
    return next_steps(told.arm.draws, scouting.wish, _trainings(measurements, scouting, chosen), n_steps=n_steps)


def _trainings(measurements: Sequence[Measurement], scouting: Scouting, chosen: Sequence[str]) -> list[Measurement]:
    """The trainings of sources that the study has and that were not chosen yet, failed ones included."""
    return [
        measurement
        for measurement in measurements
        if measurement.kind == "train" and measurement.label in scouting.sources and measurement.label not in chosen
    ]
