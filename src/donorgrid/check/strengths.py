"""An adapter at several strengths: what it gains and what its worst guard loses, and the largest safe strength."""

from collections.abc import Mapping, Sequence

from donorgrid.check.halves import split_in_halves
from donorgrid.check.inputs import CheckSettings, TargetAnswers
from donorgrid.check.results import StrengthChoice, StrengthCurve, StrengthPoint, TargetVerdict
from donorgrid.check.verdicts import joint_over_guards, judge_target
from donorgrid.statistics.flips import difference_interval
from donorgrid.statistics.paired import Verdict


def strength_curve(
    adapter: str,
    indices: Mapping[float, int],
    targets: Sequence[TargetAnswers],
    settings: CheckSettings,
    *,
    chooses: bool = False,
) -> StrengthCurve:
    """Judges an adapter at several strengths, and chooses one of them.

    The choice is the largest strength up to 1 at which every guard is safe and no smaller one harms a guard, on the
    half that chooses and on all items. A larger one than 1 is chosen only if it has evidence of its own: on the half
    that did not choose it, every guard is safe, and it gains more than strength 1.

    Parameters
    ----------
    adapter
        The adapter's name.
    indices
        Each strength with its position in ``TargetAnswers.adapters``.
    targets
        The answers.
    settings
        The limit and the levels.
    chooses
        Whether a strength is chosen; there must be guards.

    Returns
    -------
    StrengthCurve
        The points in the order of their strengths, on all items.
    """
    ordered = dict(sorted(indices.items()))
    points = tuple(_point(strength, index, targets, settings) for strength, index in ordered.items())
    choice = _choice(ordered, points, targets, settings) if chooses else None
    return StrengthCurve(adapter=adapter, points=points, choice=choice)


def _point(strength: float, index: int, targets: Sequence[TargetAnswers], settings: CheckSettings) -> StrengthPoint:
    guards = _guards(index, targets, settings)
    judged = [guard for guard in guards if guard.degenerate is None]
    worst = min(judged, key=lambda guard: guard.delta_pp, default=None)
    gain, low, high = _gain(index, None, targets, settings)
    return StrengthPoint(
        strength=strength,
        gain_pp=gain,
        gain_low_pp=low,
        gain_high_pp=high,
        worst_guard=None if worst is None else worst.target,
        worst_pp=None if worst is None else worst.delta_pp,
        worst_low_pp=None if worst is None else worst.low_pp,
        worst_high_pp=None if worst is None else worst.high_pp,
        joint=joint_over_guards(guard.verdict for guard in guards),
    )


def _guards(index: int, targets: Sequence[TargetAnswers], settings: CheckSettings) -> list[TargetVerdict]:
    return [judge_target(target, target.adapters[index], settings) for target in targets if target.role == "guard"]


def _gain(
    index: int, other: int | None, targets: Sequence[TargetAnswers], settings: CheckSettings
) -> tuple[float, float, float] | tuple[None, None, None]:
    """The mean delta over the targets to gain on against the base, or against another strength, with its interval."""
    on = [target for target in targets if target.role == "on" and not target.pooled]
    if not on:
        return None, None, None
    if other is None and all(target.adapters[index].same_as_base for target in on):
        return 0.0, 0.0, 0.0
    pairs = [
        ((target.base if other is None else target.adapters[other]).correct, target.adapters[index].correct)
        for target in on
    ]
    return difference_interval(pairs, [target.clusters for target in on], tail=settings.tail)


def _choice(
    indices: Mapping[float, int],
    on_all: Sequence[StrengthPoint],
    targets: Sequence[TargetAnswers],
    settings: CheckSettings,
) -> StrengthChoice:
    halves = split_in_halves(targets)
    if isinstance(halves, str):
        return StrengthChoice(strength=None, reason=halves)
    first, second = halves
    on_first = {strength: _point(strength, index, first, settings) for strength, index in indices.items() if strength}
    joint = {
        point.strength: _on_both(on_first[point.strength].joint, point.joint) for point in on_all if point.strength
    }
    beyond = [strength for strength in on_first if strength > 1 and joint[strength] == "safe"]
    for strength in reversed(beyond):
        point = _point(strength, indices[strength], second, settings)
        if point.joint == "safe" and _gains_more(strength, indices, second, settings):
            reason = "it gains more than strength 1 on the half that did not choose it, with every guard safe there"
            return StrengthChoice(strength=strength, reason=reason, chosen_on=on_first[strength], reported_on=point)
    on_half = _largest_safe({strength: point.joint for strength, point in on_first.items() if strength <= 1})
    if on_half is not None and _point(on_half, indices[on_half], second, settings).joint == "harmed":
        reason = f"strength {on_half:g} is safe on one half of the items and harms a guard on the other half"
        return StrengthChoice(strength=None, reason=reason, chosen_on=on_first[on_half])
    largest = _largest_safe({strength: verdict for strength, verdict in joint.items() if strength <= 1})
    if largest is None:
        return _none_is_safe(indices, targets, settings)
    return StrengthChoice(
        strength=largest,
        reason="it is the largest at which every guard is safe",
        chosen_on=on_first[largest],
        reported_on=_point(largest, indices[largest], second, settings),
    )


def _gains_more(
    strength: float, indices: Mapping[float, int], targets: Sequence[TargetAnswers], settings: CheckSettings
) -> bool:
    """True if a strength is shown to gain more than strength 1."""
    _, low, _ = _gain(indices[strength], indices[1.0], targets, settings)
    return low is not None and low > 0


def _on_both(on_half: Verdict | None, on_all: Verdict | None) -> Verdict | None:
    """The verdict on the half that chooses and on all items. A small half can hide that the base has no skill."""
    if "harmed" in (on_half, on_all):
        return "harmed"
    return on_half if on_half == on_all else "undecided"


def _largest_safe(joint: Mapping[float, Verdict | None]) -> float | None:
    """The last safe strength; none from the first harmed one on."""
    safe = None
    for strength, verdict in joint.items():
        if verdict == "harmed":
            return safe
        safe = strength if verdict == "safe" else safe
    return safe


def _none_is_safe(
    indices: Mapping[float, int], targets: Sequence[TargetAnswers], settings: CheckSettings
) -> StrengthChoice:
    """Why there is no choice, and how many items the smallest strength would need: twice as many as a verdict."""
    smallest = min(strength for strength in indices if strength)
    undecided = [guard for guard in _guards(indices[smallest], targets, settings) if guard.verdict == "undecided"]
    without_skill = next((guard.target for guard in undecided if guard.degenerate is not None), None)
    if without_skill is not None:
        reason = (
            f"a guard on which the base shows no skill is safe at no strength ({without_skill}); guard another target"
        )
        return StrengthChoice(strength=None, reason=reason)
    known = [guard.items_needed for guard in undecided if guard.items_needed is not None]
    return StrengthChoice(
        strength=None,
        reason="none of those tried keeps every guard safe, on the half of the items that chooses and on all of them",
        items_needed=2 * max(known) if known and len(known) == len(undecided) else None,
    )
