"""Dot plots: one row per thing, one mark per measure, whiskers for uncertainty. Positions are percent of the width."""

from collections.abc import Iterable
from dataclasses import dataclass

import polars as pl

from donorgrid.report.figures.axes import Axis, Tick, axis_over
from donorgrid.report.formatting import is_absent, percent, shown, with_se

ROW_HEIGHT = 28
_CHARACTER = 7.2
_SERIES_APART = 10.0


@dataclass(frozen=True, kw_only=True)
class Series:
    """One measure over all rows: its value, the ends of its whisker, and what a reader is told, row by row."""

    kind: str
    name: str
    values: tuple[float | None, ...]
    lows: tuple[float | None, ...]
    highs: tuple[float | None, ...]
    told: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Mark:
    """One dot, at ``at`` percent, its whisker from ``low`` to ``high`` percent, ``y`` pixels down."""

    kind: str
    at: float
    low: float
    high: float
    y: float
    told: str


@dataclass(frozen=True, kw_only=True)
class DotPlot:
    """A dot plot as the template draws it."""

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
    """Draw series over rows. ``scale`` turns values into the axis's unit (100 for rates shown in percent)."""
    labels = tuple(labels)
    ends = [end for one in series for part in (one.values, one.lows, one.highs) for end in part]
    axis = axis_over((None if end is None else scale * end for end in ends), signed=unit == "pp")
    marks = [
        mark
        for place, one in enumerate(series)
        for mark in _marks(one, axis, scale, _SERIES_APART * (place - (len(series) - 1) / 2))
    ]
    return DotPlot(
        title=title,
        unit=unit,
        labels=labels,
        marks=tuple(marks),
        legend=tuple((one.kind, one.name) for one in series),
        ticks=axis.ticks,
        zero=axis.at(0),
        label_width=round(_CHARACTER * max(len(label) for label in labels)) + 10,
    )


def series_with_se(frame: pl.DataFrame, kind: str, name: str, columns: tuple[str, str], labels: list[str]) -> Series:
    """A mean (pp) with whiskers of one standard error; without the second column there are none."""
    value, error = columns
    values = [None if is_absent(one) else one for one in frame[value]]
    errors = [None if is_absent(one) else one for one in frame[error]] if error in frame.columns else []
    spread = errors or [None] * len(values)
    return Series(
        kind=kind,
        name=name,
        values=tuple(values),
        lows=tuple(_moved(one, by, -1) for one, by in zip(values, spread, strict=True)),
        highs=tuple(_moved(one, by, +1) for one, by in zip(values, spread, strict=True)),
        told=tuple(
            f"{label}, {name}: {with_se(one, by)} pp" for label, one, by in zip(labels, values, spread, strict=True)
        ),
    )


def series_of_rates(frame: pl.DataFrame, kind: str, name: str, column: str, labels: list[str]) -> Series:
    """A rate (0-1), without whiskers."""
    values = tuple(None if is_absent(one) else one for one in frame[column])
    told = tuple(f"{label}, {name}: {percent(one)}" for label, one in zip(labels, values, strict=True))
    nothing = (None,) * len(values)
    return Series(kind=kind, name=name, values=values, lows=nothing, highs=nothing, told=told)


def series_with_interval(frame: pl.DataFrame, name: str, columns: tuple[str, str, str], labels: list[str]) -> Series:
    """A value with whiskers to the ends that the table gives (value, low, high columns); absent ends draw none."""
    values, lows, highs = (
        tuple(None if is_absent(one) else one for one in frame[column])
        if column in frame.columns
        else (None,) * frame.height
        for column in columns
    )
    told = tuple(f"{label}, {name}: {shown(columns[0], value)}" for label, value in zip(labels, values, strict=True))
    return Series(kind="donor", name=name, values=values, lows=lows, highs=highs, told=told)


def _moved(value: float | None, by: float | None, direction: int) -> float | None:
    return None if value is None or by is None else value + direction * by


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
                told=series.told[row],
            )
        )
    return marks
