"""Intervals are printed on their side of what they are held against."""

import pytest

from donorgrid.check.formatting import interval_pp, probability


@pytest.mark.parametrize(
    ("ends", "edge", "text"),
    [
        ((-0.96, 0.3), -1.0, "[−0.96, +0.30]"),
        ((-0.96, 0.3), 0.0, "[−1.0, +0.3]"),
        ((-9.0, -1.01), -1.0, "[−9.00, −1.01]"),
        ((0.01, 27.73), 0.0, "[+0.01, +27.73]"),
        ((-1.04, 0.3), -1.0, "[−1.0, +0.3]"),
        ((-0.25, 2.0), -0.25, "[−0.25, +2.00]"),
    ],
)
def test_an_end_keeps_its_side_of_the_edge(ends: tuple[float, float], edge: float, text: str) -> None:
    assert interval_pp(*ends, edge_pp=edge) == text


def test_a_probability_that_is_not_certain_is_not_printed_as_certain() -> None:
    assert [probability(value) for value in (0.0, 0.004, 0.124, 0.996, 1.0)] == ["0%", "<1%", "12%", ">99%", "100%"]
