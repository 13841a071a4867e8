"""Does a target measure skill? Not where its baseline is at chance, or nearly always gives the same answer."""

from donorgrid.core.arrays import Ints
from donorgrid.statistics.proportions import relative_entropy_of_choices, wilson_interval

SAME_ANSWER = 0.5
"""A target is suspect when the entropy of its chosen options is below this share of the gold answers' entropy."""


def chance_reason(n_right: float, n_items: int, chance: float, *, confidence: float = 0.95) -> str | None:
    """Why a baseline is no better than chance: the interval of its score reaches down to it. None where it does not."""
    if not n_items or wilson_interval(n_right, n_items, confidence)[0] > chance:
        return None
    return f"its baseline of {100 * n_right / n_items:.1f}% is not above chance ({100 * chance:.1f}%)"


def same_answer_reason(chosen_entropy: float, answer_entropy: float) -> str | None:
    """Why a baseline gives one answer to everything, by relative entropies of chosen and gold options; None if not."""
    if not chosen_entropy < SAME_ANSWER * answer_entropy:
        return None
    return (
        f"it nearly always chooses the same option (entropy {chosen_entropy:.2f}, the gold answers' "
        f"{answer_entropy:.2f})"
    )


def degenerate_reasons(*, n_right: int, chosen: Ints, gold: Ints, n_choices: Ints) -> tuple[str, ...]:
    """Both reasons from the answers of a baseline; empty when nothing says that they measure format.

    ``chosen`` and ``gold`` (n,) are option indices, ``n_choices`` (n,) the options of each item.
    """
    most = int(n_choices.max())
    entropies = (relative_entropy_of_choices(one, most) for one in (chosen, gold))
    found = (chance_reason(n_right, chosen.size, float((1.0 / n_choices).mean())), same_answer_reason(*entropies))
    return tuple(reason for reason in found if reason is not None)
