"""Dot plots: a row per label, a mark per series, whiskers for uncertainty. Positions are percent of the width."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

from donorgrid.report.figures.axes import Axis, Tick, axis_over
from donorgrid.report.figures.series import Series

ROW_HEIGHT = 28
_CHARACTER_WIDTH = 7.2
_MOST = {"%": 100.0}
"""The largest value of a unit."""
_SERIES_DISTANCE = 10.0


@dataclass(frozen=True, kw_only=True)
class Mark:
    """A dot at ``at`` percent with a whisker from ``low`` to ``high`` percent, ``y`` pixels from the top."""

    kind: str
    at: float
    low: float
    high: float
    y: float
    tooltip: str


@dataclass(frozen=True, kw_only=True)
class DotPlot:
    """A dot plot as the template draws it.

    Attributes
    ----------
    title, unit, labels
        Texts; a label per row.
    marks
        The marks of all series.
    legend
        (kind, name) per series.
    ticks, zero
        The axis, and the position of 0 in percent.
    label_width
        Pixels for the labels.
    """

    title: str
    unit: str
    labels: tuple[str, ...]
    marks: tuple[Mark, ...]
    legend: tuple[tuple[str, str], ...]
    ticks: tuple[Tick, ...]
    zero: float
    label_width: int

    @property
    def height(self) -> int:
        """Pixels of the rows, without the axis."""
        return ROW_HEIGHT * len(self.labels)


def dot_plot(title: str, unit: str, labels: Iterable[str], series: tuple[Series, ...], *, scale: float = 1) -> DotPlot:
    """Lays out series over rows.

    Parameters
    ----------
    title, unit
        The plot's name and the axis's unit; an axis in ``pp`` has signed ticks.
    labels
        A label per row.
    series
        At least one.
    scale
        Converts values to the axis's unit: 100 for rates (0-1) shown in percent.

    Returns
    -------
    DotPlot
        Series of one row are drawn a few pixels apart.
    """
    labels = tuple(labels)
    ends = [end for measure in series for column in (measure.values, measure.lows, measure.highs) for end in column]
    axis = axis_over(
        (None if end is None else scale * end for end in ends), signed=unit == "pp", most=_MOST.get(unit, math.inf)
    )
    marks = [
        mark
        for index, measure in enumerate(series)
        for mark in _marks(measure, axis, scale, _SERIES_DISTANCE * (index - (len(series) - 1) / 2))
    ]
    return DotPlot(
        title=title,
        unit=unit,
        labels=labels,
        marks=tuple(marks),
        legend=tuple((measure.kind, measure.name) for measure in series),
        ticks=axis.ticks,
        zero=axis.at(0),
        label_width=round(_CHARACTER_WIDTH * max(len(label) for label in labels)) + 10,
    )


def _marks(series: Series, axis: Axis, scale: float, shift: float) -> list[Mark]:
    marks = []
    for row, (value, low, high) in enumerate(zip(series.values, series.lows, series.highs, strict=True)):
        if value is None:
            continue
        marks.append(
            Mark(
                kind=series.kind,
                at=axis.at(scale * value),
                low=axis.at(scale * (value if low is None else low)),
                high=axis.at(scale * (value if high is None else high)),
                y=ROW_HEIGHT * (row + 0.5) + shift,
                tooltip=series.tooltips[row],
            )
        )
    return marks
