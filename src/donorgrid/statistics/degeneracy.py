"""Does a target measure skill? Not where its baseline is at chance, or nearly always one answer is given or right."""

from collections import Counter
from collections.abc import Hashable, Sequence

from donorgrid.core.arrays import Ints
from donorgrid.statistics.proportions import relative_entropy_of_choices, wilson_interval

SAME_ANSWER = 0.5
"""A target is suspect when the entropy of its chosen options is below this share of the gold answers' entropy."""

ONE_CLASS = 0.9
"""A target is suspect when at least this share of its gold answers is one class: a constant answer scores as much."""


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


def degenerate_reasons(*, n_right: int, chosen: Ints, gold: Ints, n_choices: Ints) -> tuple[str, ...]:
    """Both reasons, from the answers of a baseline.

    Parameters
    ----------
    n_right : int
        Right answers.
    chosen, gold : ndarray of int
        Option indices, shape ``(n_items,)``.
    n_choices : ndarray of int
        Options of each item, shape ``(n_items,)``.

    Returns
    -------
    tuple of str
        Empty where nothing says that the answers measure format.
    """
    most = int(n_choices.max())
    entropies = (relative_entropy_of_choices(options, most) for options in (chosen, gold))
    reasons = (chance_reason(n_right, chosen.size, float((1.0 / n_choices).mean())), same_answer_reason(*entropies))
    return tuple(reason for reason in reasons if reason is not None)
