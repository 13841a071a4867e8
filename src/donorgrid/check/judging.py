"""From the item answers of base and adapters to the result of a check."""

from collections.abc import Sequence

import numpy as np

from donorgrid.check.changed_items import broken_by_every_adapter
from donorgrid.check.comparisons import compared
from donorgrid.check.inputs import CheckSettings, TargetAnswers
from donorgrid.check.recommendation import recommended
from donorgrid.check.results import AdapterVerdict, CheckResult
from donorgrid.check.verdicts import joint_over_guards, judge_target, with_adjusted_p_values
from donorgrid.core.errors import InputError


def judge(
    base: str,
    adapters: Sequence[str],
    targets: Sequence[TargetAnswers],
    settings: CheckSettings,
    *,
    notes: Sequence[str] = (),
) -> CheckResult:
    """Judges every adapter on every target and jointly, and compares the adapters if there are several.

    Parameters
    ----------
    base
        The base model's name.
    adapters
        The adapters' names, in the order of ``TargetAnswers.adapters``.
    targets
        The answers.
    settings
        The limit and the levels.
    notes
        What was not used, and why; copied to the result.

    Returns
    -------
    CheckResult

    Raises
    ------
    InputError
        Without an adapter or a target.
    """
    if not adapters or not targets:
        raise InputError("nothing to check: give at least one adapter and one target (--on or --guard)")
    separate = [target for target in targets if not target.pooled]
    return CheckResult(
        base=base,
        settings=settings,
        adapters=tuple(judge_adapter(name, index, targets, settings) for index, name in enumerate(adapters)),
        broken_by_all=_broken_by_all(separate),
        comparisons=compared(adapters, separate, settings),
        recommendation=recommended(adapters, separate, settings) if len(adapters) > 1 else None,
        notes=tuple(notes),
    )


def judge_adapter(name: str, index: int, targets: Sequence[TargetAnswers], settings: CheckSettings) -> AdapterVerdict:
    """Judges one adapter.

    Parameters
    ----------
    name
        Its name.
    index
        Its position in ``TargetAnswers.adapters``.
    targets
        The answers.
    settings
        The limit and the levels.

    Returns
    -------
    AdapterVerdict
        The targets to gain on come first.
    """
    verdicts = [judge_target(target, target.adapters[index], settings) for target in targets]
    guards = with_adjusted_p_values(tuple(verdict for verdict in verdicts if verdict.role == "guard"))
    return AdapterVerdict(
        name=name,
        targets=(*(verdict for verdict in verdicts if verdict.role == "on"), *guards),
        joint=joint_over_guards(guard.verdict for guard in guards),
    )


def _broken_by_all(targets: Sequence[TargetAnswers]) -> dict[str, tuple[str, ...]]:
    """Target to the IDs of the items that every adapter breaks; targets without such items are left out."""
    broken = {}
    for target in targets:
        items = np.flatnonzero(broken_by_every_adapter(target)).tolist()
        if items:
            broken[target.name] = tuple(target.item_ids[item] for item in items)
    return broken
