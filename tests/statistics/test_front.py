"""The Pareto front by hand, and against a loop over pairs."""

import numpy as np

from donorgrid.statistics.front import on_front


def test_the_front_by_hand() -> None:
    x = np.array([1.0, 2.0, 3.0, 2.0, 0.0])
    y = np.array([3.0, 2.0, 1.0, 1.0, 3.0])
    # (2, 1) is beaten by (2, 2) and (3, 1), (0, 3) by (1, 3).
    assert on_front(x, y).tolist() == [True, True, True, False, False]


def test_equal_points_do_not_beat_each_other() -> None:
    assert on_front(np.array([1.0, 1.0]), np.array([2.0, 2.0])).tolist() == [True, True]
    assert on_front(np.array([1.0]), np.array([1.0])).tolist() == [True]


def test_a_point_is_beaten_by_any_that_is_as_large_and_somewhere_larger() -> None:
    x, y = np.random.default_rng(0).integers(0, 6, size=(2, 40)).astype(float)
    beaten = [
        any(a >= x[i] and b >= y[i] and (a > x[i] or b > y[i]) for a, b in zip(x, y, strict=True)) for i in range(40)
    ]
    assert on_front(x, y).tolist() == [not point for point in beaten]
