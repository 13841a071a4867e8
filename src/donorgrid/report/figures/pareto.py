"""On-task against off-task transfer: one panel per model, the front of undominated sources marked."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import polars as pl

from donorgrid.core.records import Cell
from donorgrid.report.figures.axes import Axis, Tick, axis_over
from donorgrid.report.formatting import is_absent, percent, signed_pp

PANEL_HEIGHT = 300
_PANEL_WIDTH = 330
_CHARACTER_WIDTH, _TEXT_HEIGHT, _MARGIN = 6.2, 13.0, 8.0

Box = tuple[float, float, float, float]


@dataclass(frozen=True, kw_only=True)
class Point:
    """One source: its position (percent), and whether it is on the front."""

    x: float
    y: float
    on_front: bool
    tooltip: str


@dataclass(frozen=True, kw_only=True)
class Name:
    """The name of a source on the front, at its point's position (percent) moved by ``dx`` and ``dy`` pixels."""

    x: float
    y: float
    dx: float
    dy: float
    anchor: str
    text: str


@dataclass(frozen=True, kw_only=True)
class Panel:
    """One model's scatter plot.

    Attributes
    ----------
    model, points, names
        The model, its sources, and the names written in the plot.
    steps
        (x1, y1, x2, y2) of the lines that join the front.
    x_ticks, y_ticks, x_zero, y_zero
        The axes, and the positions of 0.
    """

    model: str
    points: tuple[Point, ...]
    names: tuple[Name, ...]
    steps: tuple[tuple[float, float, float, float], ...]
    x_ticks: tuple[Tick, ...]
    y_ticks: tuple[Tick, ...]
    x_zero: float
    y_zero: float


def panels(pareto: pl.DataFrame, models: tuple[str, ...]) -> tuple[Panel, ...]:
    """A panel per model, all on the same axes.

    Parameters
    ----------
    pareto
        The table ``PARETO`` of one arm. Sources without both coordinates are shown in the table only.
    models
        The order of the models; others follow.

    Returns
    -------
    tuple of Panel
        No panel for a model without points.
    """
    rows = [
        row
        for row in pareto.iter_rows(named=True)
        if not (is_absent(row["on_task_pp"]) or is_absent(row["off_task_pp"]))
    ]
    x_axis = axis_over((row["on_task_pp"] for row in rows), wanted_ticks=5)
    y_axis = axis_over((row["off_task_pp"] for row in rows), wanted_ticks=5)
    order = list(dict.fromkeys([*models, *(row["model"] for row in rows)]))
    of_model = {model: [row for row in rows if row["model"] == model] for model in order}
    return tuple(_panel(model, members, x_axis, y_axis) for model, members in of_model.items() if members)


def shown_columns(pareto: pl.DataFrame) -> pl.DataFrame:
    """The columns that the table behind the panels shows."""
    source = pl.concat_str("source_task", "source_language", separator="/").alias("source")
    rate = pl.selectors.starts_with("off_task_harm_rate")
    return pareto.select("model", source, "on_task_pp", "off_task_pp", rate, "front")


def _panel(model: str, rows: Sequence[Mapping[str, Any]], x_axis: Axis, y_axis: Axis) -> Panel:
    points = tuple(
        Point(
            x=x_axis.at(row["on_task_pp"]),
            y=round(100 - y_axis.at(row["off_task_pp"]), 2),
            on_front=bool(row["front"]),
            tooltip=_tooltip(row),
        )
        for row in rows
    )
    front = sorted(
        {(point.x, point.y, _source(row)) for point, row in zip(points, rows, strict=True) if point.on_front}
    )
    return Panel(
        model=model,
        points=tuple(sorted(points, key=lambda point: point.on_front)),
        names=free_names(front, points, width=_PANEL_WIDTH),
        steps=_steps([(x, y) for x, y, _ in front]),
        x_ticks=x_axis.ticks,
        y_ticks=tuple(Tick(at=100 - tick.at, label=tick.label) for tick in y_axis.ticks),
        x_zero=x_axis.at(0),
        y_zero=100 - y_axis.at(0),
    )


def _tooltip(row: Mapping[str, Any]) -> str:
    low, high = row.get("off_task_harm_rate_low"), row.get("off_task_harm_rate_high")
    between = "" if is_absent(low) or is_absent(high) else f" ({percent(low)} to {percent(high)})"
    return (
        f"{_source(row)}: own task, other languages {signed_pp(row['on_task_pp'])} pp; "
        f"other tasks {signed_pp(row['off_task_pp'])} pp, {percent(row['off_task_harm_rate'])}{between} of them harmed"
    )


def _source(row: Mapping[str, Any]) -> str:
    return str(Cell(task=row["source_task"], language=row["source_language"]))


def _steps(front: list[tuple[float, float]]) -> tuple[tuple[float, float, float, float], ...]:
    """The border of the dominated region: down from each point of the front, then right to the next."""
    steps = []
    for (x, y), (next_x, next_y) in pairwise(front):
        steps += [(x, y, x, next_y), (x, next_y, next_x, next_y)]
    return tuple(steps)


def free_names(named: list[tuple[float, float, str]], points: tuple[Point, ...], *, width: float) -> tuple[Name, ...]:
    """Names at points, where they overlap no other name and no point. The table lists the rest.

    Parameters
    ----------
    named
        (x, y, text) of each, in percent; the last ones are placed first.
    points
        Every point of the plot.
    width
        About how many pixels wide the plot is.

    Returns
    -------
    tuple of Name
    """
    taken: list[Box] = []
    dots = [(width * point.x / 100, PANEL_HEIGHT * point.y / 100) for point in points]
    names = []
    for x, y, text in reversed(named):
        at = (width * x / 100, PANEL_HEIGHT * y / 100)
        for dx, dy, anchor in ((8, 4, "start"), (-8, 4, "end"), (8, -8, "start"), (-8, -8, "end"), (0, 19, "middle")):
            box = _box((at[0] + dx, at[1] + dy), anchor, text)
            covers_point = any(box[0] < dot[0] < box[2] and box[1] < dot[1] < box[3] for dot in dots)
            if not covers_point and _is_free(box, taken, width):
                taken.append(box)
                names.append(Name(x=x, y=y, dx=dx, dy=dy, anchor=anchor, text=text))
                break
    return tuple(names)


def _box(at: tuple[float, float], anchor: str, text: str) -> Box:
    width = _CHARACTER_WIDTH * len(text)
    left = at[0] - {"start": 0.0, "middle": width / 2, "end": width}[anchor]
    return (left, at[1] - _TEXT_HEIGHT + 3, left + width, at[1] + 3)


def _is_free(box: Box, taken: list[Box], width: float) -> bool:
    inside = box[0] >= 0 and box[2] <= width + _MARGIN and box[1] >= -_MARGIN and box[3] <= PANEL_HEIGHT
    apart = all(box[2] < other[0] or other[2] < box[0] or box[3] < other[1] or other[3] < box[1] for other in taken)
    return inside and apart
