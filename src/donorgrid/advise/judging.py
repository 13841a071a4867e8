"""Gain and harm of each option, from joint draws of its true deltas."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from donorgrid.advise.options import Option
from donorgrid.advise.wishes import Wish
from donorgrid.core.arrays import Reals
from donorgrid.core.records import Cell
from donorgrid.statistics.harm import harmed as is_harmed

Safety = Literal["safe", "harmed", "undecided", "nothing guarded"]


@dataclass(frozen=True, kw_only=True)
class SpecificPart:
    """A gain minus a control's gain on the same targets, in pp.

    Attributes
    ----------
    against : str
        The control.
    gain_pp, low_pp, high_pp : float
        Posterior mean, and the interval that holds it with the wish's confidence.
    """

    against: str
    gain_pp: float
    low_pp: float
    high_pp: float


@dataclass(frozen=True, kw_only=True)
class Judged:
    """An option with its gain and its risk; deltas in pp, probabilities under the model's posterior.

    Attributes
    ----------
    option : Option
        What was judged.
    gain_pp, gain_low_pp, gain_high_pp : float
        Posterior mean of the objective, and the interval that holds it with the wish's confidence.
    p_gain : float
        The probability that the objective is above 0.
    worst_guard : Cell, optional
        The guard that is most probably harmed.
    p_harm_worst : float
        Its probability of true harm; 0 without guards.
    p_all_safe : float
        The joint probability that no guard is harmed.
    expected_harmed : float
        The expected number of harmed guards.
    expected_worst_pp : float
        The expected smallest delta over the guards; 0 without guards.
    safety : str
        ``safe``: admissible. ``harmed``: inadmissible with the wish's confidence. Else ``undecided``.
    gains : ndarray
        Draws of the objective, shape ``(n_draws,)``.
    specific : tuple of SpecificPart
        What of the gain goes beyond each control's.
    """

    option: Option
    gain_pp: float
    gain_low_pp: float
    gain_high_pp: float
    p_gain: float
    worst_guard: Cell | None
    p_harm_worst: float
    p_all_safe: float
    expected_harmed: float
    expected_worst_pp: float
    safety: Safety
    gains: Reals
    specific: tuple[SpecificPart, ...] = ()

    @property
    def is_admissible(self) -> bool:
        """True if nothing speaks against training it: it is safe, or nothing is guarded."""
        return self.safety in ("safe", "nothing guarded")


def judge_options(options: Sequence[Option], draws: Reals, wish: Wish) -> list[Judged]:
    """Judge every option by the same joint draws.

    Parameters
    ----------
    options : sequence of Option
        What could be trained.
    draws : ndarray
        True deltas in pp, shape ``(n_draws, n_options, n_targets)``, targets in the order of ``wish.targets``.
    wish : Wish
        What is wanted and guarded.

    Returns
    -------
    list of Judged
        In the order of ``options``.
    """
    columns = {cell: index for index, cell in enumerate(wish.targets)}
    guards = [columns[cell] for cell in wish.guards]
    gains = wish.gain(draws[:, :, : len(wish.wanted)])
    return [_judge(option, gains[:, index], draws[:, index][:, guards], wish) for index, option in enumerate(options)]


def _judge(option: Option, gains: Reals, guarded: Reals, wish: Wish) -> Judged:
    tail = (1.0 - wish.confidence) / 2.0
    low, high = np.quantile(gains, [tail, 1.0 - tail])
    harmed = is_harmed(guarded, wish.limit_pp)
    by_guard = harmed.mean(axis=0)
    worst = int(by_guard.argmax()) if wish.guards else None
    return Judged(
        option=option,
        gain_pp=float(gains.mean()),
        gain_low_pp=float(low),
        gain_high_pp=float(high),
        p_gain=float((gains > 0).mean()),
        worst_guard=None if worst is None else wish.guards[worst],
        p_harm_worst=0.0 if worst is None else float(by_guard[worst]),
        p_all_safe=float((~harmed.any(axis=1)).mean()),
        expected_harmed=float(harmed.sum(axis=1).mean()),
        expected_worst_pp=float(guarded.min(axis=1).mean()) if wish.guards else 0.0,
        safety=_safety(harmed, wish),
        gains=gains,
    )


def _safety(harmed: np.ndarray, wish: Wish) -> Safety:
    """Admissible or not, by the rule of the wish: no named guard harmed, a number, or a share of all."""
    if not wish.guards:
        return "nothing guarded"
    counts = harmed.sum(axis=1)
    if not wish.expects_some_harm:
        p_safe = float((counts == 0).mean())
        return _by_probability(p_safe, wish.confidence)
    if counts.mean() <= wish.n_allowed:
        return "safe"
    return "harmed" if float((counts > wish.n_allowed).mean()) >= wish.confidence else "undecided"


def _by_probability(p_safe: float, confidence: float) -> Safety:
    if p_safe >= confidence:
        return "safe"
    return "harmed" if 1.0 - p_safe >= confidence else "undecided"
