import pytest
from hypothesis import given
from hypothesis import strategies as st

from donorgrid.report.figures.axes import axis_over, round_limit


@given(st.lists(st.floats(-500, 500), min_size=1, max_size=20))
def test_every_value_and_zero_lie_on_the_axis(values: list[float]) -> None:
    axis = axis_over(values)
    assert all(0 <= axis.at(value) <= 100 for value in [0.0, *values])
    assert 2 <= len(axis.ticks) <= 12
    assert [tick.at for tick in axis.ticks][:: len(axis.ticks) - 1] == [0, 100]


def test_a_golden_axis() -> None:
    axis = axis_over([-1.2, 3.8, None, float("nan")])
    assert [(tick.at, tick.label) for tick in axis.ticks] == [
        (0.0, "−2"), (16.67, "−1"), (33.33, "0"), (50.0, "+1"), (66.67, "+2"), (83.33, "+3"), (100.0, "+4"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("value", "limit"), [(0.2, 1), (1.01, 1.5), (7.3, 8), (8.0, 8), (39.0, 40), (101, 150), (0, 1)]
)
def test_colours_end_at_round_numbers(value: float, limit: float) -> None:
    assert round_limit(value) == limit
