import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from donorgrid.report.formatting import ABSENT, count, percent, plain_pp, shown, signed_pp, with_se


@pytest.mark.parametrize(
    ("value", "text"),
    [(1.25, "+1.25"), (-0.5, "−0.50"), (0.0, "0.00"), (-0.004, "0.00"), (12.0, "+12.00"), (None, ABSENT)],
)
def test_points_carry_their_sign_and_two_decimals(value: float | None, text: str) -> None:
    assert signed_pp(value) == text


@pytest.mark.parametrize("value", [math.nan, math.inf, None])
def test_what_is_no_number_is_said_to_be_absent(value: float | None) -> None:
    assert signed_pp(value) == plain_pp(value) == percent(value) == shown("mean_pp", value) == ABSENT


def test_a_missing_standard_error_leaves_the_mean_alone() -> None:
    assert with_se(1.5, 0.25) == "+1.50 ± 0.25"
    assert with_se(1.5, None) == "+1.50"
    assert with_se(None, 0.25) == ABSENT


@pytest.mark.parametrize(
    ("column", "value", "text"),
    [
        ("mean_pp", -1.0, "−1.00"),
        ("donor_se_pp", 0.5, "0.50"),
        ("harm_rate", 0.09085, "9.1%"),
        ("share_low", 0.104, "10.4%"),
        ("n", 17424, "17,424"),
        ("front", True, "yes"),
        ("criterion", -0.03125, "−0.03125"),
        ("task", "arc_challenge", "arc_challenge"),
    ],
)
def test_a_column_name_says_how_its_values_are_written(column: str, value: object, text: str) -> None:
    assert shown(column, value) == text


@given(st.floats(-100, 100))
def test_what_is_written_is_within_half_a_hundredth(value: float) -> None:
    assert abs(float(signed_pp(value).replace("−", "-")) - value) <= 0.005 + 1e-9


@given(st.integers(0, 10**9))
def test_counts_read_back(value: int) -> None:
    assert int(count(value).replace(",", "")) == value
