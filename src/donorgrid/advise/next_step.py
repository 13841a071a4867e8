"""Which adapter to train next: the one whose measurement is expected to improve the decision most for its cost."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from donorgrid.advise.wishes import Wish
from donorgrid.core.arrays import Reals
from donorgrid.statistics.harm import harmed

_RIDGE = 1e-3
_PENALTY_PER_HARMED = 2.0
"""A pp of loss beyond the limit counts twice a pp of gain, as in the decision score of the benchmark."""


@dataclass(frozen=True, kw_only=True)
class NextStep:
    """A measurement, and what it is expected to be worth.

    Attributes
    ----------
    option : int
        Index of the option to train.
    improvement_pp : float
        The expected rise of the best option's utility, in pp, after all steps up to this one.
    cost : float
        The cost that was given.
    """

    option: int
    improvement_pp: float
    cost: float


def utilities(draws: Reals, wish: Wish) -> Reals:
    """Gain minus twice the mean loss of guards beyond the limit.

    Parameters
    ----------
    draws : ndarray
        True deltas in pp, shape ``(n_draws, n_options, n_targets)``, targets in the order of ``wish.targets``.
    wish : Wish
        What is wanted and guarded.

    Returns
    -------
    ndarray
        In pp, shape ``(n_draws, n_options)``.
    """
    columns = {cell: index for index, cell in enumerate(wish.targets)}
    gains = wish.gain(draws[:, :, : len(wish.wanted)])
    if not wish.guards:
        return gains
    guarded = draws[:, :, [columns[cell] for cell in wish.guards]]
    losses = np.where(harmed(guarded, wish.limit_pp), -guarded - wish.limit_pp, 0.0).mean(axis=2)
    return np.asarray(gains - _PENALTY_PER_HARMED * losses)


def next_steps(
    draws: Reals, wish: Wish, *, noise_sd_pp: float, candidates: Sequence[int], costs: Mapping[int, float], n_steps: int
) -> list[NextStep]:
    """Choose adapters to train, one after the other.

    The value of a measurement is the mean over draws of the best option's utility as it would be expected after the
    measurement, minus that of the best option now (the knowledge gradient). What would be expected is the linear
    regression of utilities on the measured deltas, over the draws.

    Parameters
    ----------
    draws : ndarray
        As for ``utilities``.
    wish : Wish
        What is wanted and guarded.
    noise_sd_pp : float
        Standard deviation of a measured delta's noise.
    candidates : sequence of int
        Options that may be trained.
    costs : mapping of int to float
        Of each candidate, in any unit.
    n_steps : int
        How many to choose.

    Returns
    -------
    list of NextStep
        At most ``n_steps``, first things first.

    References
    ----------
    Frazier, Powell & Dayanik 2009, INFORMS J. Comput. 21, 599-613.
    """
    values = utilities(draws, wish)
    rng = np.random.default_rng(0)
    measured = draws + noise_sd_pp * rng.standard_normal(draws.shape)
    now = float(values.mean(axis=0).max())
    chosen: list[int] = []
    steps: list[NextStep] = []
    while len(steps) < n_steps and (open_ones := [index for index in candidates if index not in chosen]):
        worths = {index: _best_after(values, measured[:, [*chosen, index]]) - now for index in open_ones}
        best = max(open_ones, key=lambda index: worths[index] / costs[index])
        chosen.append(best)
        steps.append(NextStep(option=best, improvement_pp=worths[best], cost=costs[best]))
    return steps


def _best_after(values: Reals, measured: Reals) -> float:
    """The mean of the best expected utility, given deltas of shape ``(n_draws, n_measured, n_targets)``."""
    features = measured.reshape(len(measured), -1)
    centred = features - features.mean(axis=0)
    outcome = values - values.mean(axis=0)
    gram = centred.T @ centred + _RIDGE * np.trace(centred.T @ centred) / centred.shape[1] * np.eye(centred.shape[1])
    expected = values.mean(axis=0) + centred @ np.linalg.solve(gram, centred.T @ outcome)
    return float(expected.max(axis=1).mean())
