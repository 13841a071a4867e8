"""A value axis with round ticks. Positions are percent of the plot's width or height, so figures can be resized."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

from donorgrid.report.formatting import MINUS, is_absent

_SMALLEST_SPAN = 1e-9
_ROUND_STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)
_ROUND_LIMITS = (1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0)


@dataclass(frozen=True, kw_only=True)
class Tick:
    """A label on an axis, at ``at`` percent."""

    at: float
    label: str


@dataclass(frozen=True, kw_only=True)
class Axis:
    """A linear axis.

    Attributes
    ----------
    low, high
        Its ends, in the unit of the values.
    step
        The distance between ticks, in the same unit.
    signed
        Whether ticks above 0 have a plus sign, as deltas do.
    """

    low: float
    high: float
    step: float
    signed: bool = True

    def at(self, value: float) -> float:
        """The position of a value, in percent of the axis."""
        return round(100 * (value - self.low) / (self.high - self.low), 2)

    @property
    def ticks(self) -> tuple[Tick, ...]:
        """The ticks from low to high."""
        first, last = math.ceil(self.low / self.step - 1e-9), math.floor(self.high / self.step + 1e-9)
        return tuple(
            Tick(at=self.at(number * self.step), label=_label(number * self.step, self.signed))
            for number in range(first, last + 1)
        )


def axis_over(
    values: Iterable[float | None], *, wanted_ticks: int = 6, signed: bool = True, most: float = math.inf
) -> Axis:
    """The axis that shows all values and 0.

    Parameters
    ----------
    values
        Absent values are ignored.
    wanted_ticks
        About how many ticks there are.
    signed
        Whether ticks above 0 have a plus sign.
    most
        The largest value that there can be, such as 100 percent: the axis ends there at the latest.

    Returns
    -------
    Axis
        Its ends are ticks.
    """
    known = [0.0, *(value for value in values if value is not None and not is_absent(value))]
    low, high = min(known), max(known)
    span = high - low if high - low > _SMALLEST_SPAN else 1.0
    step = _round_up(span / wanted_ticks, _ROUND_STEPS)
    margin = 0.02 * span
    return Axis(
        low=step * math.floor((low - margin) / step) if low < 0 else 0.0,
        high=max(high, min(most, step * math.ceil((high + margin) / step))),
        step=step,
        signed=signed,
    )


def round_limit(value_pp: float) -> float:
    """The next round number at or above a positive amount; at least 1."""
    return max(1.0, _round_up(value_pp, _ROUND_LIMITS)) if value_pp > 0 else 1.0


def _round_up(value: float, choices: tuple[float, ...]) -> float:
    power = 10.0 ** math.floor(math.log10(value))
    return next((power * choice for choice in choices if power * choice >= value * (1 - 1e-9)), 10 * power)


def _label(value: float, signed: bool) -> str:
    text = f"{value:{'+' if signed else ''}.4g}" if abs(value) > 1e-12 else "0"
    return text.replace("-", MINUS)
