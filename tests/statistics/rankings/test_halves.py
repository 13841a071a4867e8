"""Choosing on one part, reporting on the other."""

import numpy as np
import pytest

from donorgrid.statistics.rankings.halves import Halves, each_against_others, split_items


def halves(first: list[list[float]], second: list[list[float]]) -> Halves:
    return Halves(
        names=("a", "b"), whole=np.array([1.0, 2.0]), first=np.array(first), second=np.array(second), split="items"
    )


def test_what_is_chosen_on_one_part_is_measured_on_the_other() -> None:
    found = halves([[9.0, 1.0]], [[2.0, 5.0]])  # a is best on the first part and gives 2, b on the second and gives 1
    assert found.best.tolist() == [0, 1]
    assert found.honest_pp == pytest.approx((2.0 + 1.0) / 2)


def test_halves_of_items_add_up_to_the_whole() -> None:
    parts = np.arange(12.0).reshape(2, 6)
    first, second = split_items(parts, 20, np.random.default_rng(0))
    assert (first + second) / 2 == pytest.approx(np.tile(parts.sum(axis=1), (20, 1)))
    assert len(set(first[:, 0])) > 1


def test_a_seed_is_held_against_the_others() -> None:
    each, others = each_against_others(np.array([[1.0], [2.0], [6.0]]))
    assert each.ravel().tolist() == [1.0, 2.0, 6.0]
    assert others.ravel().tolist() == [4.0, 3.5, 1.5]
