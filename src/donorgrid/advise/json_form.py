"""A recommendation as plain data, for JSON."""

from collections.abc import Sequence
from typing import Any

from donorgrid.advise.deciding import Decision
from donorgrid.advise.items_needed import ItemsNeeded
from donorgrid.advise.judging import Judged
from donorgrid.advise.next_step import NextStep
from donorgrid.advise.sentences import Advice
from donorgrid.advise.wishes import Wish


def decision_as_json(decision: Decision, wish: Wish, advice: Advice) -> dict[str, Any]:
    """What was wished, what to do, and every option.

    Parameters
    ----------
    decision : Decision
        The chosen option and the ranking.
    wish : Wish
        What was asked.
    advice : Advice
        The sentences.

    Returns
    -------
    dict
        Cells as ``task/language``, deltas in pp, probabilities from 0 to 1.
    """
    return {
        "for": {str(cell): weight for cell, weight in wish.wanted.items()},
        "guards": [str(cell) for cell in wish.guards],
        "limit_pp": wish.limit_pp,
        "confidence": wish.confidence,
        "action": decision.action,
        "chosen": None if decision.chosen is None else decision.chosen.option.name,
        "ties": [judged.option.name for judged in decision.ties],
        "do": advice.do,
        "against": advice.against,
        "untested": advice.untested,
        "to_decide": advice.to_decide,
        "options": [_option_as_json(judged, wish) for judged in decision.ranked],
    }


def steps_as_json(steps: Sequence[NextStep]) -> list[dict[str, Any]]:
    """Returns the measurements that come next, with their cost in fine-tunes and what they are worth together."""
    return [
        {
            "kind": step.measurement.kind,
            "what": step.measurement.label,
            "cost": step.measurement.cost,
            "improvement_pp": step.improvement_pp,
        }
        for step in steps
    ]


def items_as_json(items: ItemsNeeded | None) -> dict[str, Any] | None:
    """Returns how many items would decide; None where those at hand could."""
    return None if items is None else {"option": items.option, "n_items": items.n_items, "needed": items.needed}


def _option_as_json(judged: Judged, wish: Wish) -> dict[str, Any]:
    option = judged.option
    return {
        "name": option.name,
        "recipe": option.recipe,
        "comparator": option.comparator,
        "is_transfer": not option.trains_on(wish.wanted),
        "gain_pp": judged.gain_pp,
        "gain_low_pp": judged.gain_low_pp,
        "gain_high_pp": judged.gain_high_pp,
        "p_gain": judged.p_gain,
        "worst_guard": None if judged.worst_guard is None else str(judged.worst_guard),
        "p_harm_worst": judged.p_harm_worst,
        "p_all_safe": judged.p_all_safe,
        "expected_harmed": judged.expected_harmed,
        "expected_worst_pp": judged.expected_worst_pp,
        "verdict": judged.safety,
        "rests_on": option.evidence.rests_on,
        "n_items": option.evidence.n_items,
        "n_seeds": option.evidence.n_seeds,
        "n_adapters": option.evidence.n_adapters,
        "n_models": option.evidence.n_models,
        "specific": [
            {"against": part.against, "gain_pp": part.gain_pp, "low_pp": part.low_pp, "high_pp": part.high_pp}
            for part in judged.specific
        ],
    }
