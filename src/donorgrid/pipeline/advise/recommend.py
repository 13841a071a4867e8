"""What to train a model on: its own cells and those of other models, one posterior, one decision."""

from collections.abc import Sequence
from dataclasses import dataclass

from threadpoolctl import threadpool_limits

from donorgrid.advise.deciding import Decision, decide
from donorgrid.advise.items_needed import ItemsNeeded
from donorgrid.advise.next_step import NextStep, next_steps
from donorgrid.advise.options import missing_comparators
from donorgrid.advise.sentences import Advice, advise
from donorgrid.advise.wishes import Wish
from donorgrid.pipeline.advise.evidence_at_hand import EvidenceAtHand, make_wish, read_evidence
from donorgrid.pipeline.advise.judged_arms import (
    JudgedArm,
    fit_to_knowledge,
    judge_arm,
    judge_no_training,
    judge_prompts,
)
from donorgrid.pipeline.advise.limits_of_evidence import (
    all_degenerate,
    limits_of_evidence,
    near_names,
    refuse_format_alone,
    refuse_what_nothing_tells,
)
from donorgrid.pipeline.advise.measurements import possible_measurements, what_items_would_decide
from donorgrid.pipeline.advise.request import AdviceRequest
from donorgrid.statistics.transfer_model.model import TransferModel

LEAST_WORTH_PP = 0.05
"""A budget is not spent on measurements that are expected to improve the decision by less."""
_MOST_STEPS = 12


@dataclass(frozen=True, kw_only=True)
class Recommendation:
    """What to do, and what it rests on.

    Attributes
    ----------
    model : str
        The model in question.
    wish : Wish
        What was asked.
    decision : Decision
        The chosen option and the ranking.
    advice : Advice
        The sentences.
    evidence : EvidenceAtHand
        What was read.
    arm : JudgedArm
        The arm that measurements go on with: the one with the most cells.
    next_steps : tuple of NextStep
        What to measure next, if that was asked.
    budget : float, optional
        Fine-tunes that can be paid for, as asked.
    items : ItemsNeeded, optional
        How many items would decide, where those at hand could not.
    missing : tuple of str
        Fixed comparators that cannot be given, with the reason.
    notes : tuple of str
        What was missing or left out.
    """

    model: str
    wish: Wish
    decision: Decision
    advice: Advice
    evidence: EvidenceAtHand
    arm: JudgedArm
    next_steps: tuple[NextStep, ...] = ()
    budget: float | None = None
    items: ItemsNeeded | None = None
    missing: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def recommend(request: AdviceRequest) -> Recommendation:
    """Say what to train a model on.

    Parameters
    ----------
    request : AdviceRequest
        What is wanted and guarded, and where the evidence lies.

    Returns
    -------
    Recommendation

    Raises
    ------
    InputError
        If a cell is unknown, the guards leave nothing, or nothing can be said.
    """
    with threadpool_limits(limits=1):
        evidence = read_evidence(request)
        wish = make_wish(request, evidence)
        refuse_format_alone(evidence)
        return recommend_from(evidence, wish, request)


def recommend_from(
    evidence: EvidenceAtHand, wish: Wish, request: AdviceRequest, *, model: TransferModel | None = None
) -> Recommendation:
    """Say what to train, from evidence that was read already.

    Parameters
    ----------
    evidence : EvidenceAtHand
        Cells of the model and knowledge of others.
    wish : Wish
        What is wanted and guarded.
    request : AdviceRequest
        How many draws, and how many measurements to plan.
    model : TransferModel, optional
        Fitted to the knowledge already.

    Returns
    -------
    Recommendation

    Raises
    ------
    InputError
        If nothing can be said of a target.
    """
    refuse_what_nothing_tells(wish, evidence.cells, evidence.knowledge)
    model = model or fit_to_knowledge(evidence, wish, with_typology=request.with_typology)
    arms = [judge_arm(arm, wish, evidence, model=model, n_draws=request.n_draws) for arm in evidence.arms]
    judged = [option for arm in arms for option in arm.judged]
    judged += judge_prompts(evidence.prompts, wish, request.n_draws)
    decision = decide([*judged, judge_no_training(wish, request.n_draws)], wish)
    arm = max(arms, key=lambda judged_arm: 0 if judged_arm.cells is None else judged_arm.cells.height)
    items = None if decision.action == "train" else what_items_would_decide(arms, decision, wish, evidence)
    limits = limits_of_evidence(wish, evidence)
    return Recommendation(
        model=evidence.model,
        wish=wish,
        decision=decision,
        advice=advise(
            decision,
            wish,
            limits_of_evidence=limits,
            items=items,
            shows_format=all_degenerate(wish, evidence.cells),
        ),
        evidence=evidence,
        arm=arm,
        next_steps=tuple(_next_steps(arm, wish, evidence, request)),
        budget=request.budget,
        items=items,
        missing=missing_comparators([option.option for option in judged], wish.wanted),
        notes=(*evidence.notes, *near_names(wish, evidence)),
    )


def _next_steps(arm: JudgedArm, wish: Wish, evidence: EvidenceAtHand, request: AdviceRequest) -> Sequence[NextStep]:
    """The measurements to plan: so many, or those that a budget pays for while each is worth it."""
    if not request.n_next and request.budget is None:
        return []
    measurements = possible_measurements(arm, wish, evidence)
    n_steps = request.n_next or min(int(request.budget or 0), _MOST_STEPS)
    steps = next_steps(arm.draws, wish, measurements, n_steps=n_steps, one_per_task=evidence.cells is None)
    if request.budget is None:
        return steps
    return _affordable(steps, request.budget)


def _affordable(steps: Sequence[NextStep], budget: float) -> list[NextStep]:
    """The first steps that a budget pays for, up to the last one that is worth its cost."""
    paid, spent = [], 0.0
    for step in steps:
        spent += step.measurement.cost
        if spent > budget:
            break
        paid.append(step)
    while paid and paid[-1].improvement_pp - (paid[-2].improvement_pp if len(paid) > 1 else 0.0) < LEAST_WORTH_PP:
        paid.pop()
    return paid
