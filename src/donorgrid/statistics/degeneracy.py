"""Does a target measure skill? Not where its baseline is at chance, or nearly always one answer is given or right."""

from collections import Counter
from collections.abc import Hashable, Sequence
from typing import Literal

from donorgrid.core.arrays import Ints
from donorgrid.statistics.proportions import relative_entropy_of_choices, wilson_interval

SAME_ANSWER = 0.5
"""A target is suspect when the entropy of its chosen options is below this share of the gold answers' entropy."""

ONE_CLASS = 0.9
"""A target is suspect when at least this share of its gold answers is one class: a constant answer scores as much."""


BaseState = Literal["at chance", "at zero", "one option", "one right answer"]
"""Where a baseline stands that shows no skill: at chance; at zero, where answers are free; at one option that it nearly
always chooses; or on items that nearly all have one right answer."""


def chance_reason(n_right: float, n_items: int, chance: float, *, confidence: float = 0.95) -> str | None:
    """Why a baseline is no better than chance: the interval of its score reaches down to chance.

    Parameters
    ----------
    n_right : float
        Right answers.
    n_items : int
        Answers.
    chance : float
        Expected score of random answers, from 0 to 1.
    confidence : float
        Coverage of the Wilson interval.

    Returns
    -------
    str or None
        None where the baseline is better than chance, or there are no answers.
    """
    if not n_items or wilson_interval(n_right, n_items, confidence)[0] > chance:
        return None
    return f"its baseline of {100 * n_right / n_items:.1f}% is not above chance ({100 * chance:.1f}%)"


def same_answer_reason(chosen_entropy: float, answer_entropy: float) -> str | None:
    """Why a baseline gives one answer to everything.

    Parameters
    ----------
    chosen_entropy, answer_entropy : float
        Relative entropies (0-1) of the chosen options and of the gold ones.

    Returns
    -------
    str or None
        None where the chosen options vary enough.
    """
    if not chosen_entropy < SAME_ANSWER * answer_entropy:
        return None
    return (
        f"it nearly always chooses the same option (entropy {chosen_entropy:.2f}, the gold answers' "
        f"{answer_entropy:.2f})"
    )


def one_class_reason(classes: Sequence[Hashable]) -> str | None:
    """Why one answer to everything is right: the gold answers are nearly all of one class.

    Parameters
    ----------
    classes : sequence of Hashable
        The class of each item's gold answer, such as its label.

    Returns
    -------
    str or None
        None where the gold answers vary, or there are fewer than two.
    """
    if len(classes) < 2:
        return None
    ((label, count),) = Counter(classes).most_common(1)
    if count < ONE_CLASS * len(classes):
        return None
    if count == len(classes):
        return f"every item has the same right answer, '{label}'"
    return f"{count:,} of {len(classes):,} items have the same right answer, '{label}'"


def zero_reason(n_right: float, n_items: int) -> str | None:
    """Why a baseline of free answers has nothing to lose: it has no right answer at all.

    Parameters
    ----------
    n_right : float
        Right answers.
    n_items : int
        Answers.

    Returns
    -------
    str or None
        None where an answer is right, or there are no answers.
    """
    return f"its baseline has none of {n_items:,} answers right" if n_items and n_right == 0 else None


def degenerate_states(*, n_right: int, chosen: Ints, gold: Ints, n_choices: Ints) -> dict[BaseState, str]:
    """Where a baseline stands that shows no skill, from its answers.

    Parameters
    ----------
    n_right : int
        Right answers.
    chosen, gold : ndarray of int
        Option indices, shape ``(n_items,)``.
    n_choices : ndarray of int
        Options of each item, shape ``(n_items,)``; 0 where answers are free.

    Returns
    -------
    dict of str to str
        State -> the reason in words. Empty where nothing says that the answers measure format.
    """
    reasons: dict[BaseState, str | None]
    if not n_choices.all():
        reasons = {"at zero": zero_reason(n_right, n_choices.size)}
    else:
        most = int(n_choices.max())
        entropies = (relative_entropy_of_choices(options, most) for options in (chosen, gold))
        reasons = {
            "at chance": chance_reason(n_right, chosen.size, float((1.0 / n_choices).mean())),
            "one option": same_answer_reason(*entropies),
        }
    return {state: reason for state, reason in reasons.items() if reason is not None}
