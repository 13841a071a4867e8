"""Adapters against each other, on the same items."""

from collections.abc import Sequence
from itertools import combinations

import numpy as np
import numpy.typing as npt
from scipy.special import ndtri

from donorgrid.check.records import CheckSettings, Comparison, Role, TargetAnswers

Reals = npt.NDArray[np.float64]
ROLES: tuple[Role, ...] = ("on", "guard")


def compared(
    adapters: Sequence[str], targets: Sequence[TargetAnswers], settings: CheckSettings
) -> tuple[Comparison, ...]:
    """Every pair of adapters, over the targets to gain on and over the guards."""
    return tuple(
        _comparison(adapters, pair, [one for one in targets if one.role == role], settings)
        for role in ROLES
        if any(one.role == role for one in targets)
        for pair in combinations(range(len(adapters)), 2)
    )


def _comparison(
    adapters: Sequence[str], pair: tuple[int, int], targets: Sequence[TargetAnswers], settings: CheckSettings
) -> Comparison:
    first, second = pair
    changes = [
        one.adapters[first].correct.astype(np.float64) - one.adapters[second].correct.astype(np.float64)
        for one in targets
    ]
    delta, low, high = mean_with_interval(changes, [one.item_ids for one in targets], tail=settings.tail)
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
    n_items = sum(one.size for one in changes)
    means = [float(one.mean()) for one in changes]
    for change, ids, mean in zip(changes, item_ids, means, strict=True):
        for item_id, own in zip(ids, change, strict=True):
            parts[item_id] = parts.get(item_id, 0.0) + (float(own) - mean) / change.size / len(changes)
    centre = float(np.mean(means))
    squares = float((np.array(list(parts.values())) ** 2).sum())
    pseudo = 2.0 / (n_items + 2.0) ** 2
    half = 100.0 * float(ndtri(1.0 - tail)) * float(np.sqrt(squares + pseudo))
    return 100.0 * centre, 100.0 * centre - half, 100.0 * centre + half
