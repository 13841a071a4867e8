"""Which option to train, if any; which others are as good; what would decide."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from donorgrid.advise.judging import Judged
from donorgrid.advise.wishes import Wish

Action = Literal["train", "do not train", "measure first"]


@dataclass(frozen=True, kw_only=True)
class Decision:
    """What to do.

    Attributes
    ----------
    action : str
        ``train`` the chosen option; ``do not train``: nothing admissible is better than not training with the wish's
        confidence, and nothing undecided could be; ``measure first``: something undecided could be.
    chosen : Judged, optional
        The option to train; where none is to be trained, the least risky one among those that would gain, if any.
    ties : tuple of Judged
        Admissible options that are not shown to be worse than the chosen one, best first.
    ranked : tuple of Judged
        All options, admissible ones first, then by gain.
    """

    action: Action
    chosen: Judged | None
    ties: tuple[Judged, ...]
    ranked: tuple[Judged, ...]


def decide(judged: Sequence[Judged], wish: Wish) -> Decision:
    """Choose among options.

    The chosen one has the largest posterior mean of the objective among the admissible ones. Posterior means are not
    inflated by the choice, as measured deltas are: they are pulled towards what the model expects.

    Parameters
    ----------
    judged : sequence of Judged
        At least one option.
    wish : Wish
        Its ``confidence``.

    Returns
    -------
    Decision
    """
    ranked = tuple(sorted(judged, key=lambda option: (not option.is_admissible, -option.gain_pp)))
    admissible = [option for option in ranked if option.is_admissible]
    if admissible and admissible[0].gain_low_pp > 0.0:
        best = admissible[0]
        ties = tuple(option for option in admissible[1:] if _is_tied(best, option, wish.confidence))
        return Decision(action="train", chosen=best, ties=ties, ranked=ranked)
    trained = [option for option in ranked if option.option.comparator != "no training"]
    action: Action = "measure first" if any(_may_be_better(option, wish) for option in trained) else "do not train"
    least_risky = max(
        trained, key=lambda option: (option.p_all_safe * (option.gain_pp > 0), option.gain_pp), default=None
    )
    return Decision(action=action, chosen=least_risky, ties=(), ranked=ranked)


def _is_tied(best: Judged, other: Judged, confidence: float) -> bool:
    """True if the best is not above the other with the wish's confidence."""
    return float(np.mean(best.gains > other.gains)) < confidence


def _may_be_better(option: Judged, wish: Wish) -> bool:
    """True if it is not ruled out that the option gains and harms nothing."""
    return option.safety != "harmed" and option.p_gain > 1.0 - wish.confidence and option.gain_high_pp > 0.0
