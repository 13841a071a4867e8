"""The heat map as the template draws it, and the JSON that its script reads."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from donorgrid.core.regimes import REGIMES, TRAINED_CELL
from donorgrid.report.figures.axes import Tick, round_limit
from donorgrid.report.figures.heatmap.lines import Line, source_lines, target_lines
from donorgrid.report.figures.heatmap.sides import CELL, Side, side
from donorgrid.report.figures.heatmap.views import Grid, View, regime_digits, views_of
from donorgrid.report.figures.palette import MISSING
from donorgrid.report.formatting import MINUS, signed_pp
from donorgrid.report.head import ReportHead

_COLOURED_SHARE = 0.98


@dataclass(frozen=True, kw_only=True)
class HeatMap:
    """Everything that the template draws.

    Attributes
    ----------
    rows, columns
        Positions and labels.
    grid
        Sources, targets and the limit of the colours.
    first
        The view that is drawn without a script.
    views
        All views, ``first`` among them.
    outline
        An SVG path around the trained cells.
    legend
        The colour scale's labels.
    payload
        The JSON that the script reads: names, regimes and the values of every view.
    """

    rows: Side
    columns: Side
    grid: Grid
    first: View
    views: tuple[View, ...]
    outline: str
    legend: tuple[Tick, ...]
    payload: Mapping[str, Any]

    def letters(self, row: int) -> str:
        """The first view's colour letters of one row."""
        width = len(self.grid.targets)
        return self.first.letters[row * width : (row + 1) * width]

    def texts(self, row: int) -> list[str]:
        """The first view's deltas of one row as texts; empty for missing cells."""
        width = len(self.grid.targets)
        return [
            "" if self.first.letters[index] == MISSING else signed_pp(self.first.deltas[index] / 100)
            for index in range(row * width, (row + 1) * width)
        ]


def heat_map(deltas: pl.DataFrame, head: ReportHead) -> HeatMap | None:
    """Lays out the transfer matrix of every model and recipe.

    Parameters
    ----------
    deltas
        The table ``DELTAS``.
    head
        Planned sources and targets, failures, and the order of everything.

    Returns
    -------
    HeatMap or None
        None if there is no source, no target or no delta.
    """
    sources, targets = source_lines(deltas, head), target_lines(deltas, head)
    if not sources or not targets or deltas.is_empty():
        return None
    grid = Grid(sources=sources, targets=targets, limit_pp=colour_limit(deltas["delta_pp"]))
    rows, columns = side(sources, may_be_vertical=False), side(targets, may_be_vertical=True)
    views = views_of(deltas, grid, head)
    digits = regime_digits(grid)
    return HeatMap(
        rows=rows,
        columns=columns,
        grid=grid,
        first=views[0],
        views=views,
        outline=_outline(digits, rows, columns),
        legend=_legend(grid.limit_pp),
        payload=_payload(grid, views, digits, head),
    )


def colour_limit(deltas_pp: pl.Series) -> float:
    """The delta at which the colours end: the 98% quantile of absolute deltas, rounded up. The legend states it."""
    known = np.abs(deltas_pp.drop_nulls().drop_nans().to_numpy())
    return round_limit(float(np.quantile(known, _COLOURED_SHARE))) if known.size else 1.0


def _outline(digits: str, rows: Side, columns: Side) -> str:
    """One path around every trained cell (MT-ML)."""
    trained = str(REGIMES.index(TRAINED_CELL))
    width, edge = len(columns.starts), CELL - 1
    return "".join(
        f"M{columns.starts[index % width]} {rows.starts[index // width]}h{edge}v{edge}h-{edge}z"
        for index, digit in enumerate(digits)
        if digit == trained
    )


def _legend(limit_pp: float) -> tuple[Tick, ...]:
    texts = (f"≤ {MINUS}{limit_pp:g}", f"{MINUS}{limit_pp / 2:g}", "0", f"+{limit_pp / 2:g}", f"≥ +{limit_pp:g}")
    return tuple(Tick(at=25.0 * index, label=text) for index, text in enumerate(texts))


def _payload(grid: Grid, views: tuple[View, ...], digits: str, head: ReportHead) -> dict[str, Any]:
    languages = {
        line.language: head.language(line.language) for line in (*grid.sources, *grid.targets) if line.language
    }
    return {
        "sources": [_line_payload(line, languages) for line in grid.sources],
        "targets": [_line_payload(line, languages) for line in grid.targets],
        "regimes": list(REGIMES),
        "digits": digits,
        "seeds": len(head.train_seeds),
        "metric": head.metric,
        "views": [_view_payload(view) for view in views],
    }


def _line_payload(line: Line, languages: Mapping[str, str]) -> dict[str, str]:
    title = line.name if line.task is None else f"{line.task} / {languages[line.language or '']}"
    return {"name": line.name, "title": title}


def _view_payload(view: View) -> dict[str, Any]:
    reasons = sorted(set(view.reasons.values()))
    return {
        "model": view.model,
        "variant": view.variant,
        "letters": view.letters,
        "deltas": view.deltas,
        "reasons": reasons,
        "missing": {str(index): reasons.index(reason) for index, reason in view.reasons.items()},
        **{name: values for name, values in view.tooltip_values.items() if values is not None},
    }
