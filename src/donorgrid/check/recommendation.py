"""Choosing is not measuring: an adapter is chosen on one half of the items and reported on the other."""

import hashlib
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from donorgrid.check.comparisons import mean_with_interval
from donorgrid.check.records import (
    CheckSettings,
    Recommendation,
    Role,
    SubjectAnswers,
    TargetAnswers,
    Yes,
)
from donorgrid.check.verdicts import joint, verdict_on
from donorgrid.statistics.paired import Verdict

Reals = npt.NDArray[np.float64]
FEWEST_ITEMS = 20
"""With fewer items in a half, a choice says nothing."""


def recommended(adapters: Sequence[str], targets: Sequence[TargetAnswers], settings: CheckSettings) -> Recommendation:
    """The adapter that gains most (without targets to gain on: that loses least) among those with no harmed guard.

    Chosen on one half of the items, reported on the other; the halves follow from the item IDs alone, so that an item
    lies in the same half in every language and on every day.
    """
    role: Role = "on" if any(one.role == "on" for one in targets) else "guard"
    halves = [_first_half(one.item_ids) for one in targets]
    if min(min(half.sum(), (~half).sum()) for half in halves) < FEWEST_ITEMS:
        reason = f"a target has fewer than {2 * FEWEST_ITEMS} items: too few to choose on one half of them"
        return Recommendation(name=None, reason=reason, role=role)
    first = [_part(one, half) for one, half in zip(targets, halves, strict=True)]
    second = [_part(one, ~half) for one, half in zip(targets, halves, strict=True)]
    allowed = [place for place in range(len(adapters)) if _joint(first, place, settings) != "harmed"]
    if not allowed:
        return Recommendation(name=None, reason="every adapter harms a guard", role=role)
    best = max(allowed, key=lambda place: _mean_pp(first, place, role))
    honest, low, high = _measured(second, best, role, settings)
    return Recommendation(
        name=adapters[best],
        reason="it gains most" if role == "on" else "it loses least",
        role=role,
        apparent_pp=_mean_pp(first, best, role),
        honest_pp=honest,
        honest_low_pp=low,
        honest_high_pp=high,
        joint=_joint(second, best, settings),
        best_share=_best_share(targets, allowed, best, role, settings),
    )


def _first_half(item_ids: Sequence[str]) -> Yes:
    """(n,) Whether an item's ID falls into the half that chooses."""
    return np.array([hashlib.sha256(one.encode()).digest()[0] % 2 == 0 for one in item_ids])


def _part(target: TargetAnswers, keep: Yes) -> TargetAnswers:
    def of(texts: Sequence[str]) -> tuple[str, ...]:
        return tuple(np.asarray(texts, dtype=object)[keep])

    def answers(one: SubjectAnswers) -> SubjectAnswers:
        return replace(one, correct=one.correct[keep], chosen=one.chosen[keep], answer_texts=of(one.answer_texts))

    return replace(
        target,
        item_ids=of(target.item_ids),
        clusters=of(target.clusters),
        gold=target.gold[keep],
        n_choices=target.n_choices[keep],
        base=answers(target.base),
        adapters=[answers(one) for one in target.adapters],
        contexts=of(target.contexts),
        gold_texts=of(target.gold_texts),
    )


def _joint(targets: Sequence[TargetAnswers], place: int, settings: CheckSettings) -> Verdict | None:
    return joint(verdict_on(one, one.adapters[place], settings) for one in targets if one.role == "guard")


def _changes(targets: Sequence[TargetAnswers], place: int, role: Role) -> list[Reals]:
    wanted = [one for one in targets if one.role == role]
    return [one.adapters[place].correct.astype(np.float64) - one.base.correct.astype(np.float64) for one in wanted]


def _mean_pp(targets: Sequence[TargetAnswers], place: int, role: Role) -> float:
    return 100.0 * float(np.mean([change.mean() for change in _changes(targets, place, role)]))


def _measured(
    targets: Sequence[TargetAnswers], place: int, role: Role, settings: CheckSettings
) -> tuple[float, float, float]:
    ids = [one.item_ids for one in targets if one.role == role]
    return mean_with_interval(_changes(targets, place, role), ids, tail=settings.tail)


def _best_share(
    targets: Sequence[TargetAnswers], allowed: Sequence[int], best: int, role: Role, settings: CheckSettings
) -> float:
    """How often the chosen adapter is the best of the allowed ones on a random half of the items."""
    rng = np.random.default_rng(settings.seed)
    changes = {place: _changes(targets, place, role) for place in allowed}
    wins = 0
    for _ in range(settings.n_splits):
        halves = [rng.permutation(one.size) < one.size // 2 for one in changes[best]]
        means = {
            place: float(np.mean([change[half].mean() for change, half in zip(own, halves, strict=True)]))
            for place, own in changes.items()
        }
        wins += means[best] >= max(means.values())
    return wins / settings.n_splits
