"""The next measurement is the one that can change the decision."""

from dataclasses import replace

import numpy as np
import pytest

from donorgrid.advise.next_step import Measurement, next_steps, utilities
from donorgrid.advise.wishes import Wish
from donorgrid.core.records import Cell

WANTED, GUARD = Cell.parse("ask/de"), Cell.parse("ask/en")
WISH = Wish(wanted={WANTED: 1.0}, guards=(GUARD,))


def uncertain(sd: list[float], mean: list[float], seed: int = 0) -> np.ndarray:
    """Draws of options with independent gains, the guard untouched."""
    rng = np.random.default_rng(seed)
    gains = np.array(mean) + np.array(sd) * rng.standard_normal((2000, len(sd)))
    return np.stack([gains, np.zeros_like(gains)], axis=2)


def test_loss_beyond_the_limit_counts_twice() -> None:
    assert utilities(np.array([[[2.0, -3.0]]]), WISH).item() == pytest.approx(2.0 - 2 * 2.0)
    assert utilities(np.array([[[2.0, -0.5]]]), WISH).item() == pytest.approx(2.0)


def trainings(costs: list[float], tasks: list[str] | None = None) -> list[Measurement]:
    """One training per option, scored on both targets with little noise."""
    return [
        Measurement(
            kind="train",
            label=f"option {index}",
            index=np.array([(index, 0), (index, 1)]),
            noise_sd_pp=np.full(2, 0.3),
            cost=cost,
            task="" if tasks is None else tasks[index],
        )
        for index, cost in enumerate(costs)
    ]


def test_what_is_known_already_is_not_measured_first() -> None:
    draws = uncertain([0.01, 2.0, 0.01], [1.0, 0.8, 0.5])
    (step,) = next_steps(draws, WISH, trainings([1.0, 1.0, 1.0]), n_steps=1)
    assert step.measurement.label == "option 1"
    expected = np.maximum(draws[:, 1, 0], draws[:, 0, 0]).mean() - draws[:, 0, 0].mean()
    assert step.improvement_pp == pytest.approx(expected, abs=0.1)


def test_a_dear_measurement_waits_and_steps_differ() -> None:
    draws = uncertain([2.0, 2.0, 2.0], [1.0, 1.0, 1.0])
    steps = next_steps(draws, WISH, trainings([100.0, 1.0, 1.0]), n_steps=3)
    assert steps[-1].measurement.label == "option 0"
    assert len({step.measurement.label for step in steps}) == 3
    assert np.all(np.diff([step.improvement_pp for step in steps]) >= 0)


def test_measurements_that_tell_nothing_are_worth_nothing_however_many_deltas_they_have() -> None:
    """Ninety-six columns of noise: a regression that is valued on its own draws would find them worth something."""
    draws = np.repeat(uncertain([1.0, 1.0], [0.5, 0.5]), [1, 3], axis=2)
    wish = Wish(wanted={WANTED: 1.0}, guards=tuple(Cell.parse(f"ask/{number}") for number in range(3)))
    noisy = [
        Measurement(
            kind="score more items",
            label=f"noise {number}",
            index=np.array([(option, target) for option in range(2) for target in range(4)]),
            noise_sd_pp=np.full(8, 300.0),
            cost=1.0,
        )
        for number in range(12)
    ]
    steps = next_steps(draws, wish, noisy, n_steps=12)
    assert steps[-1].improvement_pp < 0.1


def test_noise_that_former_measurements_had_is_not_measured_away() -> None:
    """More items with the same adapters: the luck of their training stays, so they are worth less."""
    draws = uncertain([2.0, 2.0], [1.0, 1.0])
    index = np.array([(0, 0), (1, 0)])
    luck = np.random.default_rng(5).normal(0.0, 3.0, (2000, 2))
    more = Measurement(kind="score more items", label="items", index=index, noise_sd_pp=np.full(2, 0.3), cost=1.0)
    (clean,) = next_steps(draws, WISH, [more], n_steps=1)
    (lucky,) = next_steps(draws, WISH, [replace(more, kept_noise_pp=luck)], n_steps=1)
    assert lucky.improvement_pp < 0.75 * clean.improvement_pp


def test_a_new_model_starts_with_every_task_once() -> None:
    draws = uncertain([3.0, 3.0, 0.5], [1.0, 1.0, 0.0])
    trained = trainings([1.0, 1.0, 1.0], ["ask", "ask", "read"])
    freely = [step.measurement.task for step in next_steps(draws, WISH, trained, n_steps=2)]
    by_task = [step.measurement.task for step in next_steps(draws, WISH, trained, n_steps=2, one_per_task=True)]
    assert freely == ["ask", "ask"]
    assert sorted(by_task) == ["ask", "read"]
