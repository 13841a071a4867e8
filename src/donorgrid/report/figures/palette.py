"""Colours: a diverging ramp around 0 that colour-blind readers can tell apart (orange loss, blue gain), light and dark.

Steps are interpolated in OKLab (Björn Ottosson, "A perceptual color space for image processing", 2020), where equal
steps look equal.
"""

from dataclasses import dataclass
from functools import partial
from string import ascii_lowercase

import numpy as np
from numpy.typing import NDArray

STEPS_PER_SIDE = 12
LETTERS = ascii_lowercase[: 2 * STEPS_PER_SIDE + 1]
"""One letter per step of the ramp, from the strongest loss to the strongest gain; the middle one is 0."""
MISSING = "."

_RGB_TO_LMS = np.array(
    [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ]
)
_LMS_TO_LAB = np.array(
    [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ]
)
_LUMINANCE = np.array([0.2126, 0.7152, 0.0722])
_INKS = ("#101216", "#ffffff")


@dataclass(frozen=True, kw_only=True)
class Step:
    """One step of the ramp: its letter, its fill, and the ink that is readable on it."""

    letter: str
    fill: str
    ink: str


def letter_of(value_pp: float, limit_pp: float) -> str:
    """The ramp's letter for a delta.

    Parameters
    ----------
    value_pp, limit_pp
        The delta, and the absolute delta beyond which the end colours are used.

    Returns
    -------
    str
        One of ``LETTERS``.
    """
    step = round(STEPS_PER_SIDE * value_pp / limit_pp)
    return LETTERS[STEPS_PER_SIDE + max(-STEPS_PER_SIDE, min(STEPS_PER_SIDE, step))]


def ramp(loss: tuple[str, ...], middle: str, gain: tuple[str, ...]) -> tuple[Step, ...]:
    """A ramp of colours through given ones.

    Parameters
    ----------
    loss, middle, gain
        ``#rrggbb``: losses with the strongest first, the colour of 0, gains with the strongest last.

    Returns
    -------
    tuple of Step
        A step per letter of ``LETTERS``.
    """
    anchors = np.array([_to_lab(colour) for colour in (*loss, middle, *gain)])
    at = np.concatenate([np.linspace(-1, 0, len(loss) + 1)[:-1], [0], np.linspace(0, 1, len(gain) + 1)[1:]])
    wanted = np.linspace(-1, 1, len(LETTERS))
    lab = np.stack([np.interp(wanted, at, anchors[:, axis]) for axis in range(3)], axis=1)
    fills = [_to_hex(colour) for colour in lab]
    return tuple(
        Step(letter=letter, fill=fill, ink=max(_INKS, key=partial(contrast, fill)))
        for letter, fill in zip(LETTERS, fills, strict=True)
    )


def contrast(first: str, second: str) -> float:
    """The contrast ratio of two colours.

    Parameters
    ----------
    first, second
        ``#rrggbb``, in either order.

    Returns
    -------
    float
        1 to 21.

    References
    ----------
    Web Content Accessibility Guidelines 2.2, "contrast ratio" and "relative luminance".
    """
    darker, lighter = sorted(float(_LUMINANCE @ _linear(colour)) for colour in (first, second))
    return (lighter + 0.05) / (darker + 0.05)


def _linear(colour: str) -> NDArray[np.float64]:
    rgb = np.array([int(colour[start : start + 2], 16) for start in (1, 3, 5)]) / 255
    return np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)


def _to_lab(colour: str) -> NDArray[np.float64]:
    return np.asarray(_LMS_TO_LAB @ np.cbrt(_RGB_TO_LMS @ _linear(colour)))


def _to_hex(lab: NDArray[np.float64]) -> str:
    linear = np.linalg.solve(_RGB_TO_LMS, np.linalg.solve(_LMS_TO_LAB, lab) ** 3).clip(0, 1)
    rgb = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    return "#" + "".join(f"{round(255 * part):02x}" for part in rgb.clip(0, 1))


LIGHT_RAMP = ramp(("#7a2703", "#c9541c", "#f0a678"), "#f3f2ee", ("#9cc3ea", "#3f83c6", "#0b3a75"))
DARK_RAMP = ramp(("#ffc7a6", "#ee7f48", "#8a4420"), "#2b2f36", ("#245a92", "#5aa3ea", "#c6e2ff"))
