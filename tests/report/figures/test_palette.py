import pytest
from hypothesis import given
from hypothesis import strategies as st

from donorgrid.report.figures.palette import DARK_RAMP, LETTERS, LIGHT_RAMP, Step, contrast, letter_of, ramp


def test_the_ramp_goes_through_its_anchors() -> None:
    steps = ramp(("#7a2703", "#c9541c"), "#f3f2ee", ("#3f83c6", "#0b3a75"))
    assert [steps[index].fill for index in (0, 6, 12, 18, 24)] == [
        "#7a2703",
        "#c9541c",
        "#f3f2ee",
        "#3f83c6",
        "#0b3a75",
    ]


def test_contrast_is_that_of_the_guidelines() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("steps", [LIGHT_RAMP, DARK_RAMP], ids=["light", "dark"])
def test_numbers_are_readable_on_every_step(steps: tuple[Step, ...]) -> None:
    assert min(contrast(step.fill, step.ink) for step in steps) >= 4.3


@pytest.mark.parametrize("steps", [LIGHT_RAMP, DARK_RAMP], ids=["light", "dark"])
def test_colours_leave_the_middle_steadily(steps: tuple[Step, ...]) -> None:
    away = [contrast(step.fill, steps[12].fill) for step in steps]
    assert away[:13] == sorted(away[:13], reverse=True)
    assert away[12:] == sorted(away[12:])


@given(st.floats(-200, 200), st.floats(1, 50))
def test_loss_and_gain_are_mirror_images(value: float, limit: float) -> None:
    assert LETTERS.index(letter_of(value, limit)) == 24 - LETTERS.index(letter_of(-value, limit))


def test_beyond_the_limit_the_end_colour_stays() -> None:
    assert letter_of(-80.0, 8.0) == letter_of(-8.0, 8.0) == LETTERS[0]
    assert letter_of(0.0, 8.0) == LETTERS[12]
