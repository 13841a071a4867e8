"""Which adapter to take: it is chosen on one half of the items and reported on the other half."""

from collections.abc import Sequence

import numpy as np

from donorgrid.check.halves import split_in_halves
from donorgrid.check.inputs import CheckSettings, Role, TargetAnswers
from donorgrid.check.results import Recommendation
from donorgrid.check.verdicts import joint_over_guards, verdict_on
from donorgrid.core.arrays import Reals
from donorgrid.statistics.flips import difference_interval
from donorgrid.statistics.paired import Verdict


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
    halves = split_in_halves(targets)
    if isinstance(halves, str):
        return Recommendation(name=None, reason=halves, role=role)
    first, second = halves
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
