"""Which adapter to take: it is chosen on one half of the items and reported on the other half."""

import hashlib
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from donorgrid.check.inputs import Bools, CheckSettings, Role, SubjectAnswers, TargetAnswers
from donorgrid.check.results import Recommendation
from donorgrid.check.verdicts import joint_over_guards, verdict_on
from donorgrid.core.arrays import Reals
from donorgrid.statistics.flips import difference_interval
from donorgrid.statistics.paired import Verdict

FEWEST_ITEMS = 20
"""With fewer items in a half, a choice means nothing."""


def recommended(adapters: Sequence[str], targets: Sequence[TargetAnswers], settings: CheckSettings) -> Recommendation:
    """Recommends the adapter that gains most among those that harm no guard.

    Without targets to gain on, it is the adapter that loses least. The halves depend on the item IDs alone, so an item
    is in the same half in every language and in every check.

    Parameters
    ----------
    adapters
        Their names, in the order of ``TargetAnswers.adapters``.
    targets
        The answers.
    settings
        The limit, the levels and the random halves.

    Returns
    -------
    Recommendation
        Without a name if a half has too few items, every adapter harms a guard, or the other half speaks against the
        chosen one: it harms a guard or loses there.
    """
    role: Role = "on" if any(target.role == "on" for target in targets) else "guard"
    halves = [_first_half(target.item_ids) for target in targets]
    if min(min(half.sum(), (~half).sum()) for half in halves) < FEWEST_ITEMS:
        reason = f"a target has fewer than {2 * FEWEST_ITEMS} items, too few to choose on one half of them"
        return Recommendation(name=None, reason=reason, role=role)
    first = [_part(target, half) for target, half in zip(targets, halves, strict=True)]
    second = [_part(target, ~half) for target, half in zip(targets, halves, strict=True)]
    allowed = [index for index in range(len(adapters)) if _joint(first, index, settings) != "harmed"]
    if not allowed:
        return Recommendation(name=None, reason="every adapter harms a guard", role=role)
    best = max(allowed, key=lambda index: _mean_pp(first, index, role))
    apparent = _mean_pp(first, best, role)
    honest, low, high = _measured(second, best, role, settings)
    joint = _joint(second, best, settings)
    against = _against(adapters[best], role, high, joint)
    return Recommendation(
        name=adapters[best] if against is None else None,
        reason=against or ("it gains most" if apparent > 0.0 else "it loses least"),
        role=role,
        apparent_pp=apparent,
        honest_pp=honest,
        honest_low_pp=low,
        honest_high_pp=high,
        joint=joint,
        best_share=_best_share([_changes(targets, index, role) for index in allowed], allowed.index(best), settings),
    )


def _against(name: str, role: Role, high_pp: float, joint: Verdict | None) -> str | None:
    """What the half that did not choose an adapter says against it."""
    if joint == "harmed":
        return f"{name} is the best on one half of the items and harms a guard on the other half"
    if role == "on" and high_pp < 0.0:
        return f"{name} is the best on one half of the items and loses on the other half"
    return None


def _first_half(item_ids: Sequence[str]) -> Bools:
    """(n_items,) Whether an item belongs to the half that chooses."""
    return np.array([hashlib.sha256(item_id.encode()).digest()[0] % 2 == 0 for item_id in item_ids])


def _part(target: TargetAnswers, keep: Bools) -> TargetAnswers:
    """The target with the items where ``keep`` (n_items,) is true."""

    def kept_texts(texts: Sequence[str]) -> tuple[str, ...]:
        return tuple(np.asarray(texts, dtype=object)[keep])

    def kept_answers(answers: SubjectAnswers) -> SubjectAnswers:
        return replace(
            answers,
            correct=answers.correct[keep],
            chosen=answers.chosen[keep],
            answer_texts=kept_texts(answers.answer_texts),
        )

    return replace(
        target,
        item_ids=kept_texts(target.item_ids),
        clusters=kept_texts(target.clusters),
        gold=target.gold[keep],
        n_choices=target.n_choices[keep],
        base=kept_answers(target.base),
        adapters=[kept_answers(adapter) for adapter in target.adapters],
        contexts=kept_texts(target.contexts),
        gold_texts=kept_texts(target.gold_texts),
    )


def _joint(targets: Sequence[TargetAnswers], index: int, settings: CheckSettings) -> Verdict | None:
    guards = [target for target in targets if target.role == "guard"]
    return joint_over_guards(verdict_on(guard, guard.adapters[index], settings) for guard in guards)


def _changes(targets: Sequence[TargetAnswers], index: int, role: Role) -> list[Reals]:
    """Per target of a role, (n_items,) the adapter's correctness minus the base's: -1, 0 or 1."""
    return [
        target.adapters[index].correct.astype(np.float64) - target.base.correct.astype(np.float64)
        for target in targets
        if target.role == role
    ]


def _mean_pp(targets: Sequence[TargetAnswers], index: int, role: Role) -> float:
    return 100.0 * float(np.mean([change.mean() for change in _changes(targets, index, role)]))


def _measured(
    targets: Sequence[TargetAnswers], index: int, role: Role, settings: CheckSettings
) -> tuple[float, float, float]:
    judged = [target for target in targets if target.role == role]
    pairs = [(target.base.correct, target.adapters[index].correct) for target in judged]
    return difference_interval(pairs, [target.clusters for target in judged], tail=settings.tail)


def _best_share(changes: Sequence[Sequence[Reals]], best: int, settings: CheckSettings) -> float:
    """How often the chosen adapter is the best on a random half of the items; ``changes`` are by adapter and target."""
    rng = np.random.default_rng(settings.seed)
    wins = 0
    for _ in range(settings.n_splits):
        halves = [rng.permutation(change.size) < change.size // 2 for change in changes[best]]
        means = [
            float(np.mean([change[half].mean() for change, half in zip(of_adapter, halves, strict=True)]))
            for of_adapter in changes
        ]
        wins += means[best] >= max(means)
    return wins / settings.n_splits
