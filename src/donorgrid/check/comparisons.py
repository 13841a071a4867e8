"""Adapters compared with each other on the same items."""

from collections.abc import Sequence
from itertools import combinations

from donorgrid.check.inputs import CheckSettings, Role, TargetAnswers
from donorgrid.check.results import Comparison
from donorgrid.statistics.flips import difference_interval

ROLES: tuple[Role, ...] = ("on", "guard")


def compared(
    adapters: Sequence[str], targets: Sequence[TargetAnswers], settings: CheckSettings
) -> tuple[Comparison, ...]:
    """Compares every pair of adapters, once over the targets to gain on and once over the guards.

    Parameters
    ----------
    adapters
        Their names, in the order of ``TargetAnswers.adapters``.
    targets
        The answers.
    settings
        The tail of the intervals.

    Returns
    -------
    tuple of Comparison
        Empty for one adapter.
    """
    by_role = {role: [target for target in targets if target.role == role] for role in ROLES}
    return tuple(
        _comparison(adapters, pair, of_role, settings)
        for of_role in by_role.values()
        if of_role
        for pair in combinations(range(len(adapters)), 2)
    )


def _comparison(
    adapters: Sequence[str], pair: tuple[int, int], targets: Sequence[TargetAnswers], settings: CheckSettings
) -> Comparison:
    first, second = pair
    delta, low, high = difference_interval(
        [(target.adapters[second].correct, target.adapters[first].correct) for target in targets],
        [target.clusters for target in targets],
        tail=settings.tail,
    )
    return Comparison(
        first=adapters[first],
        second=adapters[second],
        role=targets[0].role,
        n_targets=len(targets),
        delta_pp=delta,
        low_pp=low,
        high_pp=high,
    )
