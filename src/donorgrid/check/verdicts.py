"""The verdict on one adapter and one target: paired, item by item, by non-inferiority at the limit."""

from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from donorgrid.check.flips import Flips, flips_of
from donorgrid.check.records import CheckSettings, GainVerdict, SubjectAnswers, TargetAnswers, TargetVerdict
from donorgrid.statistics.degeneracy import degenerate_reasons
from donorgrid.statistics.noninferiority import items_without_flips
from donorgrid.statistics.paired import Verdict, items_to_decide, joint_verdict

MOST_ITEMS = 1_000_000
"""More items than this decide nothing in practice: the delta stands at the limit."""
_HAIR_PP = 1e-6
_GAIN: dict[Verdict, GainVerdict] = {"safe": "gained", "harmed": "lost", "undecided": "undecided"}
"""At the limit 0, not inferior means that it gained."""


def judge_target(target: TargetAnswers, adapter: SubjectAnswers, settings: CheckSettings) -> TargetVerdict:
    """The verdict on ``adapter`` (one of the target's) on one target, with its numbers."""
    flips = _flips(target, adapter)
    limit_pp = _limit_pp(target, settings)
    low, high = (0.0, 0.0) if adapter.same_as_base else _bounds(flips, limit_pp, settings)
    verdict, reason = verdict_on(target, adapter, settings), degenerate_reason(target)
    is_open = verdict == "undecided" and reason is None and not adapter.same_as_base
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
        verdict=_GAIN[verdict] if target.role == "on" else verdict,
        items_needed=_items_needed(flips, limit_pp, settings) if is_open else None,
        harm_p=1.0 if adapter.same_as_base else flips.p_harmed(limit_pp),
        harm_p_adjusted=None,
        degenerate=reason,
        same_as_base=adapter.same_as_base,
        design_effect=flips.design_effect,
    )


def verdict_on(target: TargetAnswers, adapter: SubjectAnswers, settings: CheckSettings) -> Verdict:
    """The verdict alone. The base itself neither harms nor gains, and what measures no skill decides nothing."""
    if adapter.same_as_base:
        return "safe" if target.role == "guard" else "undecided"
    if degenerate_reason(target) is not None:
        return "undecided"
    return _flips(target, adapter).verdict(_limit_pp(target, settings), settings.tail)


def _flips(target: TargetAnswers, adapter: SubjectAnswers) -> Flips:
    _, clusters = np.unique(np.asarray(target.clusters), return_inverse=True)
    return flips_of(target.base.correct, adapter.correct, clusters)


def _limit_pp(target: TargetAnswers, settings: CheckSettings) -> float:
    return settings.limit_pp if target.role == "guard" else 0.0


def _bounds(flips: Flips, limit_pp: float, settings: CheckSettings) -> tuple[float, float]:
    """The interval; where its inversion and the test at the limit disagree by a hair, the test has the word."""
    low, high = flips.bounds_pp(settings.tail)
    verdict = flips.verdict(limit_pp, settings.tail)
    low = max(low, _HAIR_PP - limit_pp) if verdict == "safe" else min(low, -limit_pp)
    high = min(high, -limit_pp - _HAIR_PP) if verdict == "harmed" else max(high, -limit_pp)
    return low, high


def _items_needed(flips: Flips, limit_pp: float, settings: CheckSettings) -> int | None:
    """Never fewer than exclude the limit when nothing flips at all, nor than there are."""
    distance = np.array([flips.delta_pp + limit_pp])
    needed = items_to_decide(np.array([flips.item_sd]), distance, tail=settings.tail, power=settings.power)[0]
    if distance[0] > 0 and limit_pp > 0:
        needed = max(needed, np.ceil(flips.design_effect * items_without_flips(limit_pp / 100.0, settings.tail)))
    return int(max(needed, flips.n_items + 1)) if needed <= MOST_ITEMS else None


def degenerate_reason(target: TargetAnswers) -> str | None:
    """Why the base's answers on a target measure format and not skill; None when they do not, or are generated."""
    if not target.n_choices.all():
        return None
    reasons = degenerate_reasons(
        n_right=int(target.base.correct.sum()),
        chosen=target.base.chosen,
        gold=target.gold,
        n_choices=target.n_choices,
    )
    if len(target.item_ids) > 1 and len(set(target.gold_texts)) == 1:
        reasons = (*reasons, f"every item has the same right answer, '{target.gold_texts[0]}'")
    return "; ".join(reasons) or None


def with_holm(guards: tuple[TargetVerdict, ...]) -> tuple[TargetVerdict, ...]:
    """The verdicts with their p-values of harm adjusted for their number (Holm 1979, Scand. J. Stat. 6, 65-70)."""
    if not guards:
        return guards
    p_values = np.array([one.harm_p for one in guards])
    order = np.argsort(p_values, kind="stable")
    adjusted = np.empty_like(p_values)
    stepped = p_values[order] * (len(guards) - np.arange(len(guards)))
    adjusted[order] = np.minimum(1.0, np.maximum.accumulate(stepped))
    return tuple(replace(one, harm_p_adjusted=float(p)) for one, p in zip(guards, adjusted, strict=True))


def joint(guards: Iterable[str]) -> Verdict | None:
    """The verdict on a set of guards: safe only if every one is. None for no guards."""
    found = np.array(list(guards))
    return joint_verdict(found) if found.size else None
