"""Does a target measure skill? Not where its baseline is at chance, or nearly always gives the same answer."""

import numpy as np
import numpy.typing as npt

from donorgrid.statistics.proportions import relative_entropy_of_choices, wilson_interval

SAME_ANSWER = 0.5
"""A target is suspect when the entropy of its chosen options is below this share of the gold answers' entropy."""
Ints = npt.NDArray[np.int64]


def degenerate_reasons(
    *, n_right: int, chosen: Ints, gold: Ints, n_choices: Ints, confidence: float = 0.95
) -> tuple[str, ...]:
    """Why the answers of a baseline measure format and not skill; empty when nothing says so.

    ``chosen`` and ``gold`` (n,) are option indices, ``n_choices`` (n,) the options of each item.
    """
    n_items, options = chosen.size, int(n_choices.max())
    low, _ = wilson_interval(n_right, n_items, confidence)
    chance = float((1.0 / n_choices).mean())
    reasons = []
    if low <= chance:
        reasons.append(f"its baseline of {100 * n_right / n_items:.1f}% is not above chance ({100 * chance:.1f}%)")
    entropy, of_gold = relative_entropy_of_choices(chosen, options), relative_entropy_of_choices(gold, options)
    if entropy < SAME_ANSWER * of_gold:
        reasons.append(f"it nearly always chooses the same option (entropy {entropy:.2f}, the gold's {of_gold:.2f})")
    return tuple(reasons)
