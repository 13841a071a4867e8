"""Adapters compared with each other on the same items."""

from collections.abc import Sequence
from itertools import combinations

import numpy as np
import numpy.typing as npt
from scipy.special import ndtri

from donorgrid.check.inputs import CheckSettings, Role, TargetAnswers
from donorgrid.check.results import Comparison

Reals = npt.NDArray[np.float64]
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
    changes = [
        target.adapters[first].correct.astype(np.float64) - target.adapters[second].correct.astype(np.float64)
        for target in targets
    ]
    delta, low, high = mean_with_interval(changes, [target.item_ids for target in targets], tail=settings.tail)
    return Comparison(
        first=adapters[first],
        second=adapters[second],
        role=targets[0].role,
        n_targets=len(targets),
        delta_pp=delta,
        low_pp=low,
        high_pp=high,
    )


def mean_with_interval(
    changes: Sequence[Reals], item_ids: Sequence[Sequence[str]], *, tail: float
) -> tuple[float, float, float]:
    """(mean, low, high) in pp of the mean over targets of their items' mean changes.

    Items with one ID count as one draw in all targets that ask them (languages of a task), so the error is taken over
    IDs; one pseudo-item gained and one lost keep it above zero, as for a single target.
    """
    parts: dict[str, float] = {}
    n_items = sum(change.size for change in changes)
    means = [float(change.mean()) for change in changes]
    for change, ids, mean in zip(changes, item_ids, means, strict=True):
        for item_id, of_item in zip(ids, change, strict=True):
            parts[item_id] = parts.get(item_id, 0.0) + (float(of_item) - mean) / change.size / len(changes)
    centre = float(np.mean(means))
    squares = float((np.array(list(parts.values())) ** 2).sum())
    pseudo = 2.0 / (n_items + 2.0) ** 2
    half = 100.0 * float(ndtri(1.0 - tail)) * float(np.sqrt(squares + pseudo))
    return 100.0 * centre, 100.0 * centre - half, 100.0 * centre + half
