"""A verdict in words. Every word about a change is made from the interval that stands beside it."""

from donorgrid.check.formatting import interval_pp, side_of
from donorgrid.check.results import TargetVerdict
from donorgrid.statistics.degeneracy import BaseState

NOT_SHOWN = "not shown to differ from 0"
_GAINS = {1: "gained", -1: "lost", 0: NOT_SHOWN}
_SCORES = {1: "shows that the score rose", -1: "shows that the score fell", 0: "does not show that the score changed"}
_FROM: dict[BaseState, str] = {
    "at chance": "from chance",
    "at zero": "from zero",
    "one option": "from one option",
    "one right answer": "one right answer",
}


def change_in_words(low_pp: float, high_pp: float) -> str:
    """What an interval says of a change.

    Parameters
    ----------
    low_pp, high_pp
        Its ends.

    Returns
    -------
    str
        ``gained``, ``lost`` or ``NOT_SHOWN``.
    """
    return _GAINS[side_of(low_pp, high_pp)]


def gain_in_words(target: TargetVerdict) -> str:
    """The change on a target to gain on, and where its base stood: ``gained, from chance``."""
    if target.same_as_base:
        return "the same answers as the base"
    return _with_state(change_in_words(target.low_pp, target.high_pp), target)


def verdict_in_words(target: TargetVerdict) -> str:
    """The verdict, and where the base stood: ``gained, from chance``; ``undecided, at chance`` of a guard."""
    return _with_state(target.verdict, target)


def _with_state(word: str, target: TargetVerdict) -> str:
    if target.base_state is None:
        return word
    return f"{word}, {_FROM[target.base_state] if target.role == 'on' else target.base_state}"


def interval_in_words(target: TargetVerdict, limit_pp: float) -> str:
    """The interval, with as many decimals as keep it on its side of what the verdict holds it against.

    Parameters
    ----------
    target
        The verdict.
    limit_pp
        The limit of guards.

    Returns
    -------
    str
        ``[−0.96, +0.3]``.
    """
    held_against_limit = target.role == "guard" and target.degenerate is None
    return interval_pp(target.low_pp, target.high_pp, edge_pp=-limit_pp if held_against_limit else 0.0)


def shown_without_skill(target: TargetVerdict, adapter: str) -> str | None:
    """What a target can show and cannot show where its base has no skill.

    Parameters
    ----------
    target
        The verdict.
    adapter
        The adapter's name.

    Returns
    -------
    str or None
        None where the base has skill.
    """
    if target.degenerate is None:
        return None
    interval = interval_in_words(target, 0.0)
    if target.role == "guard":
        score = _SCORES[side_of(target.low_pp, target.high_pp)]
        return (
            f"{target.target} measures format, not skill: {target.degenerate}. The interval {interval} {score} with "
            f"{adapter}; that a skill was kept or lost cannot be shown where the base has none. Guard another target."
        )
    if change_in_words(target.low_pp, target.high_pp) != "gained":
        return f"{target.target}: {target.degenerate}; with {adapter} the change is {interval} pp."
    return (
        f"{target.target}: {target.degenerate}. {adapter} gained from there, {interval} pp; this target alone does not "
        "show how much of that is skill and how much the format of the answers."
    )
