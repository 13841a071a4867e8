"""What to measure next: what is expected to improve the decision most for its cost."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from donorgrid.advise.wishes import Wish
from donorgrid.core.arrays import Reals
from donorgrid.statistics.harm import harmed

_RIDGE = 1e-3
_PENALTY_PER_HARMED = 2.0
"""A pp of loss beyond the limit counts twice a pp of gain, as in the decision score of the benchmark."""
_MOST_COLUMNS = 8
"""Of a measurement with more deltas, their means by option are used: a regression on more would fit the draws' luck."""

Kind = Literal["train", "score a target", "score more items"]


@dataclass(frozen=True, kw_only=True)
class Measurement:
    """Something that could be measured.

    Attributes
    ----------
    kind : str
        ``train`` a source and score it; ``score a target`` or ``score more items`` with the adapters there are.
    label : str
        What is measured: a source, a target, or a number of items.
    index : ndarray
        (option, target) of each delta that it gives, shape ``(n, 2)``.
    noise_sd_pp : ndarray
        Noise of each, shape ``(n,)``.
    cost : float
        In fine-tunes: 1 is one source trained and scored.
    kept_noise_pp : ndarray, optional
        Draws of noise that former measurements had as well, given what they showed, shape ``(n_draws, n)``.
    task : str
        Of a source of one task; empty otherwise.
    """

    kind: Kind
    label: str
    index: np.ndarray
    noise_sd_pp: Reals
    cost: float
    kept_noise_pp: Reals | None = None
    task: str = ""


@dataclass(frozen=True, kw_only=True)
class NextStep:
    """A measurement, and what it is expected to be worth.

    Attributes
    ----------
    measurement : Measurement
        What to measure.
    improvement_pp : float
        The expected rise of the best option's utility, in pp, after all steps up to this one.
    """

    measurement: Measurement
    improvement_pp: float


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
    draws: Reals, wish: Wish, measurements: Sequence[Measurement], *, n_steps: int, one_per_task: bool = False
) -> list[NextStep]:
    """Choose measurements, one after the other.

    The value of a measurement is what the option that would be chosen after it is worth, minus what the best one is
    worth now (the knowledge gradient). What would be chosen is learnt from one half of the draws, by regression of the
    utilities on the measured deltas, and valued on the other: a value is never the luck of the draws.

    Parameters
    ----------
    draws : ndarray
        As for ``utilities``; not to train is the utility 0.
    wish : Wish
        What is wanted and guarded.
    measurements : sequence of Measurement
        What could be measured.
    n_steps : int
        How many to choose.
    one_per_task : bool
        True to train a source of every task before a second one of any: the start for a model without adapters.

    Returns
    -------
    list of NextStep
        At most ``n_steps``, in the order of the work.

    References
    ----------
    Frazier, Powell & Dayanik 2009, INFORMS J. Comput. 21, 599-613.
    """
    values = np.concatenate([utilities(draws, wish), np.zeros((len(draws), 1))], axis=1)
    rng = np.random.default_rng(0)
    columns = [_measured(draws, measurement, rng) for measurement in measurements]
    taken: list[int] = []
    steps: list[NextStep] = []
    while len(steps) < n_steps and (open_steps := [index for index in range(len(columns)) if index not in taken]):
        if one_per_task:
            open_steps = _of_new_tasks(open_steps, taken, measurements) or open_steps
        worths = {index: _gained(values, [columns[step] for step in [*taken, index]]) for index in open_steps}
        former = steps[-1].improvement_pp if steps else 0.0
        best = max(open_steps, key=lambda index: (worths[index] - former) / measurements[index].cost)
        taken.append(best)
        steps.append(NextStep(measurement=measurements[best], improvement_pp=max(worths[best], former)))
    return steps


def _of_new_tasks(open_steps: Sequence[int], taken: Sequence[int], measurements: Sequence[Measurement]) -> list[int]:
    """Trainings of tasks that no step trains yet."""
    tasks = {measurements[index].task for index in taken}
    return [index for index in open_steps if measurements[index].task and measurements[index].task not in tasks]


def _measured(draws: Reals, measurement: Measurement, rng: np.random.Generator) -> Reals:
    """Draws of what would be measured, shape ``(n_draws, n_columns)``."""
    options, targets = measurement.index.T
    values = draws[:, options, targets]
    values = values + measurement.noise_sd_pp * rng.standard_normal(values.shape)
    if measurement.kept_noise_pp is not None:
        values = values + measurement.kept_noise_pp
    if values.shape[1] <= _MOST_COLUMNS:
        return np.asarray(values)
    of_option = [values[:, options == option] for option in np.unique(options)]
    return np.stack([summary for part in of_option for summary in (part.mean(axis=1), part.min(axis=1))], axis=1)


def _gained(values: Reals, columns: Sequence[Reals]) -> float:
    """What the choice after a measurement is worth beyond the choice without it, in pp."""
    features = np.concatenate(columns, axis=1)
    halves = np.arange(len(values)) % 2 == 0
    gained = [_gained_on(values, features, learnt=half, valued=~half) for half in (halves, ~halves)]
    return max(float(np.mean(gained)), 0.0)


def _gained_on(values: Reals, features: Reals, *, learnt: np.ndarray, valued: np.ndarray) -> float:
    mean, utility = features[learnt].mean(axis=0), values[learnt].mean(axis=0)
    centred = features[learnt] - mean
    gram = centred.T @ centred
    gram += _RIDGE * np.trace(gram) / len(gram) * np.eye(len(gram))
    slopes = np.linalg.solve(gram, centred.T @ (values[learnt] - utility))
    choices = (utility + (features[valued] - mean) @ slopes).argmax(axis=1)
    worth = np.take_along_axis(values[valued], choices[:, None], axis=1)[:, 0]
    return float((worth - values[valued][:, int(utility.argmax())]).mean())
