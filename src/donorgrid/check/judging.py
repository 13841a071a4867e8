"""From everybody's item answers to the result of a check."""

from collections.abc import Sequence

import numpy as np

from donorgrid.check.comparisons import compared
from donorgrid.check.recommendation import recommended
from donorgrid.check.records import AdapterVerdict, CheckResult, CheckSettings, TargetAnswers
from donorgrid.check.verdicts import joint, judge_target, with_holm
from donorgrid.core.errors import InputError


def judge(
    base: str,
    adapters: Sequence[str],
    targets: Sequence[TargetAnswers],
    settings: CheckSettings,
    *,
    notes: Sequence[str] = (),
) -> CheckResult:
    """Verdicts on every adapter and target, jointly, and the adapters against each other where there are several.

    ``adapters`` names them in the order of ``TargetAnswers.adapters``. InputError without an adapter or a target.
    """
    if not adapters or not targets:
        raise InputError("nothing to check: give at least one adapter and one target (--on or --guard)")
    verdicts = tuple(judge_adapter(name, place, targets, settings) for place, name in enumerate(adapters))
    return CheckResult(
        base=base,
        settings=settings,
        adapters=verdicts,
        broken_by_all=broken_by_all(targets),
        comparisons=compared(adapters, targets, settings),
        recommendation=recommended(adapters, targets, settings) if len(adapters) > 1 else None,
        notes=tuple(notes),
    )


def judge_adapter(name: str, place: int, targets: Sequence[TargetAnswers], settings: CheckSettings) -> AdapterVerdict:
    """The verdicts on the adapter at ``place``, those to gain on first."""
    on = tuple(judge_target(one, one.adapters[place], settings) for one in targets if one.role == "on")
    guards = tuple(judge_target(one, one.adapters[place], settings) for one in targets if one.role == "guard")
    guards = with_holm(guards)
    return AdapterVerdict(name=name, targets=(*on, *guards), joint=joint(one.verdict for one in guards))


def broken_by_all(targets: Sequence[TargetAnswers]) -> dict[str, tuple[str, ...]]:
    """By target, the IDs of the items that the base has right and every adapter wrong, where there are any."""
    found = {}
    for target in targets:
        broken = target.base.correct & ~np.any([one.correct for one in target.adapters], axis=0)
        if broken.any():
            found[target.name] = tuple(target.item_ids[place] for place in np.flatnonzero(broken).tolist())
    return found
