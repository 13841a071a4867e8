"""The verdict on one adapter and one target: paired, item by item, by non-inferiority at the limit."""

from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from donorgrid.check.inputs import CheckSettings, SubjectAnswers, TargetAnswers
from donorgrid.check.results import GainVerdict, TargetVerdict
from donorgrid.statistics.degeneracy import BaseState, degenerate_states, one_class_reason
from donorgrid.statistics.flips import Flips, flips_of
from donorgrid.statistics.multiplicity import holm_adjusted
from donorgrid.statistics.noninferiority import items_without_flips
from donorgrid.statistics.paired import Verdict, items_to_decide, joint_verdict

MOST_ITEMS = 1_000_000
"""If more items than this are needed, the delta is at the limit for all practical purposes."""
_SMALLEST_GAP_PP = 0.01
_GAIN_VERDICTS: dict[Verdict, GainVerdict] = {"safe": "gained", "harmed": "lost", "undecided": "undecided"}
"""At the limit 0, non-inferior means that the adapter gained."""


def judge_target(target: TargetAnswers, adapter: SubjectAnswers, settings: CheckSettings) -> TargetVerdict:
    """The verdict on one adapter and one target, with its numbers.

    Parameters
    ----------
    target
        The answers of the base.
    adapter
        One of ``target.adapters``.
    settings
        The limit, the tail and the power.

    Returns
    -------
    TargetVerdict
        ``p_value_harmed_adjusted`` is None; ``with_adjusted_p_values`` fills it.
    """
    flips = _flips(target, adapter)
    limit_pp = _limit_pp(target, settings)
    same = adapter.same_as_base
    low, high = (0.0, 0.0) if same else _bounds(flips, limit_pp, settings)
    verdict, states = verdict_on(target, adapter, settings), degenerate_states_of(target)
    guarded = target.role == "guard"
    needs_items = verdict == "undecided" and not same and not (guarded and states)
    return TargetVerdict(
        target=target.name,
        role=target.role,
        metric=target.metric,
        n_items=flips.n_items,
        n_right_base=int(target.base.correct.sum()),
        n_right=int(adapter.correct.sum()),
        gained=flips.gained,
        lost=flips.lost,
        delta_pp=flips.delta_pp,
        low_pp=low,
        high_pp=high,
        verdict=verdict if guarded else _GAIN_VERDICTS[verdict],
        items_needed=_items_needed(flips, limit_pp, settings) if needs_items else None,
        p_value_harmed=1.0 if same else flips.p_value_harmed(limit_pp),
        p_value_safe=(0.0 if guarded else 1.0) if same else flips.p_value_safe(limit_pp),
        p_value_harmed_adjusted=None,
        harm_probability=(0.0 if same else flips.harm_probability(limit_pp)) if guarded and not states else None,
        degenerate="; ".join(states.values()) or None,
        base_state=next(iter(states), None),
        same_as_base=same,
        design_effect=flips.design_effect,
    )


def verdict_on(target: TargetAnswers, adapter: SubjectAnswers, settings: CheckSettings) -> Verdict:
    """The verdict without the numbers.

    Parameters
    ----------
    target, adapter, settings
        As in ``judge_target``.

    Returns
    -------
    str
        ``safe``, ``harmed`` or ``undecided``. The base itself neither harms nor gains. A guard on which the base shows
        no skill is always undecided; a target to gain on can be gained on from there.
    """
    if adapter.same_as_base:
        return "safe" if target.role == "guard" else "undecided"
    if target.role == "guard" and degenerate_states_of(target):
        return "undecided"
    return _flips(target, adapter).verdict(_limit_pp(target, settings), settings.tail)


def _flips(target: TargetAnswers, adapter: SubjectAnswers) -> Flips:
    _, clusters = np.unique(np.asarray(target.clusters), return_inverse=True)
    return flips_of(target.base.correct, adapter.correct, clusters)


def _limit_pp(target: TargetAnswers, settings: CheckSettings) -> float:
    return settings.limit_pp if target.role == "guard" else 0.0


def _bounds(flips: Flips, limit_pp: float, settings: CheckSettings) -> tuple[float, float]:
    """The interval. Inverting the test is accurate to a tiny gap; within it, the test at the limit decides the side."""
    low, high = flips.bounds_pp(settings.tail)
    verdict = flips.verdict(limit_pp, settings.tail)
    low = max(low, _SMALLEST_GAP_PP - limit_pp) if verdict == "safe" else min(low, -limit_pp)
    high = min(high, -limit_pp - _SMALLEST_GAP_PP) if verdict == "harmed" else max(high, -limit_pp)
    return low, high


def _items_needed(flips: Flips, limit_pp: float, settings: CheckSettings) -> int | None:
    """At least as many items as exclude the limit when nothing flips, and more than there are."""
    distance = np.array([flips.delta_pp + limit_pp])
    needed = items_to_decide(np.array([flips.item_sd]), distance, tail=settings.tail, power=settings.power)[0]
    if distance[0] > 0 and limit_pp > 0:
        needed = max(needed, np.ceil(flips.design_effect * items_without_flips(limit_pp / 100.0, settings.tail)))
    return int(max(needed, flips.n_items + 1)) if needed <= MOST_ITEMS else None


def degenerate_states_of(target: TargetAnswers) -> dict[BaseState, str]:
    """Where the base stands if it shows no skill, each state with its reason in words; empty if it shows skill."""
    states = degenerate_states(
        n_right=int(target.base.correct.sum()),
        chosen=target.base.chosen,
        gold=target.gold,
        n_choices=target.n_choices,
    )
    reason = None if target.gold_labels is None else one_class_reason(target.gold_labels)
    return states if reason is None else {**states, "one right answer": reason}


def with_adjusted_p_values(guards: tuple[TargetVerdict, ...]) -> tuple[TargetVerdict, ...]:
    """The verdicts with their p-values of harm adjusted for their number (Holm 1979, Scand. J. Stat. 6, 65-70)."""
    if not guards:
        return guards
    adjusted = holm_adjusted(np.array([guard.p_value_harmed for guard in guards]))
    return tuple(replace(guard, p_value_harmed_adjusted=float(p)) for guard, p in zip(guards, adjusted, strict=True))


def joint_over_guards(guards: Iterable[str]) -> Verdict | None:
    """The joint verdict on guards: safe only if every guard is. None without guards."""
    verdicts = np.array(list(guards))
    return joint_verdict(verdicts) if verdicts.size else None
