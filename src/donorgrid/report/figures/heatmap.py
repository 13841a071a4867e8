"""The heat map: where everything lies (in units; the page scales them), and the first view drawn without a script."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from donorgrid.core.regimes import REGIMES, TRAINED_CELL
from donorgrid.report.figures.axes import Tick, round_limit
from donorgrid.report.figures.lines import Line, bands, source_lines, target_lines
from donorgrid.report.figures.palette import MISSING
from donorgrid.report.figures.views import Grid, View, regime_digits, views_of
from donorgrid.report.formatting import MINUS, signed_pp
from donorgrid.report.head import ReportHead

CELL, GAP = 16, 4
_LETTER_WIDTH, _LINE_HEIGHT = 5.8, 12
_SHORT_LABEL, _LONGEST_LABEL = 2, 16
_SMALLEST_BAND = 3
_COLOURED_SHARE = 0.98


@dataclass(frozen=True, kw_only=True)
class Label:
    """A text at (``at``), the middle of the line or band that it names; ``full`` is the whole name."""

    at: float
    text: str
    full: str


@dataclass(frozen=True, kw_only=True)
class Side:
    """The rows or the columns: the start of each line, the labels of lines and bands, sizes in units."""

    starts: tuple[int, ...]
    labels: tuple[Label, ...]
    band_labels: tuple[tuple[Label, ...], ...]
    separators: tuple[float, ...]
    label_size: int
    band_size: int
    length: int
    turned: bool

    @property
    def header(self) -> int:
        """Units before the first cell."""
        return self.label_size + self.band_size


@dataclass(frozen=True, kw_only=True)
class HeatMap:
    """Everything that the template draws. ``payload`` is the JSON that the script reads."""

    rows: Side
    columns: Side
    grid: Grid
    first: View
    views: tuple[View, ...]
    outline: str
    legend: tuple[Tick, ...]
    payload: Mapping[str, Any]

    def letters(self, row: int) -> str:
        """The first view's letters of one row."""
        width = len(self.grid.targets)
        return self.first.letters[row * width : (row + 1) * width]

    def texts(self, row: int) -> list[str]:
        """The first view's deltas of one row as the table shows them."""
        width = len(self.grid.targets)
        start = row * width
        return [
            "" if self.first.letters[place] == MISSING else signed_pp(self.first.deltas[place] / 100)
            for place in range(start, start + width)
        ]


def heat_map(deltas: pl.DataFrame, head: ReportHead) -> HeatMap | None:
    """Lay out the transfer matrix of every model and recipe; None when there is no source or no target at all."""
    sources, targets = source_lines(deltas, head), target_lines(deltas, head)
    if not sources or not targets or deltas.is_empty():
        return None
    grid = Grid(sources=sources, targets=targets, limit_pp=colour_limit(deltas["delta_pp"]))
    rows, columns = _side(sources, turnable=False), _side(targets, turnable=True)
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
    """The delta at which the colours end: most cells (98%) lie within, rounded up; the legend says so."""
    known = np.abs(deltas_pp.drop_nulls().drop_nans().to_numpy())
    return round_limit(float(np.quantile(known, _COLOURED_SHARE))) if known.size else 1.0


def _side(lines: tuple[Line, ...], *, turnable: bool) -> Side:
    groups = bands(lines)
    tasks = {line.band for line in lines if line.task is not None}
    long = any(group.size < _SMALLEST_BAND for group in groups if group.name in tasks)
    starts = [0] * len(lines)
    band_labels, separators, offset = [], [], 0
    for group in groups:
        if group.first:
            separators.append(offset + GAP / 2 - 0.5)
            offset += GAP
        for place in range(group.first, group.first + group.size):
            starts[place] = offset
            offset += CELL
        if group.name in tasks and not long:
            band_labels.append(_band_label(group.name, offset - CELL * group.size, CELL * group.size))
    texts = [_cut(line.name if long else line.label) for line in lines]
    longest = max(len(text) for text in texts)
    turned = turnable and longest > _SHORT_LABEL
    return Side(
        starts=tuple(starts),
        labels=tuple(
            Label(at=start + (CELL - 1) / 2, text=text, full=line.name)
            for start, text, line in zip(starts, texts, lines, strict=True)
        ),
        band_labels=tuple(band_labels),
        separators=tuple(separators),
        label_size=_LINE_HEIGHT + 2 if turnable and not turned else round(_LETTER_WIDTH * longest) + 6,
        band_size=_LINE_HEIGHT * max((len(one) for one in band_labels), default=0) + (2 if band_labels else 0),
        length=offset,
        turned=turned,
    )


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST_LABEL else text[: _LONGEST_LABEL - 1] + "…"


def _band_label(name: str, start: int, size: int) -> tuple[Label, ...]:
    """A band's name in at most two texts that fit into its size."""
    room = max(2, int(size / _LETTER_WIDTH))
    texts = [name]
    if len(name) > room:
        cut = max((place + 1 for place, sign in enumerate(name[:room]) if sign in "_-. "), default=room)
        texts = [name[:cut], name[cut:]]
    fitting = [text if len(text) <= room else text[: room - 1] + "…" for text in texts]
    return tuple(Label(at=start + size / 2, text=text, full=name) for text in fitting)


def _outline(digits: str, rows: Side, columns: Side) -> str:
    """One path around every trained cell (MT-ML)."""
    wanted = str(REGIMES.index(TRAINED_CELL))
    width, edge = len(columns.starts), CELL - 1
    return "".join(
        f"M{columns.starts[place % width]} {rows.starts[place // width]}h{edge}v{edge}h-{edge}z"
        for place, digit in enumerate(digits)
        if digit == wanted
    )


def _legend(limit_pp: float) -> tuple[Tick, ...]:
    texts = (f"≤ {MINUS}{limit_pp:g}", f"{MINUS}{limit_pp / 2:g}", "0", f"+{limit_pp / 2:g}", f"≥ +{limit_pp:g}")
    return tuple(Tick(at=25.0 * place, label=text) for place, text in enumerate(texts))


def _payload(grid: Grid, views: tuple[View, ...], digits: str, head: ReportHead) -> dict[str, Any]:
    told = {line.language: head.language(line.language) for line in (*grid.sources, *grid.targets) if line.language}
    return {
        "sources": [_told_line(line, told) for line in grid.sources],
        "targets": [_told_line(line, told) for line in grid.targets],
        "regimes": list(REGIMES),
        "digits": digits,
        "seeds": len(head.train_seeds),
        "metric": head.metric,
        "views": [_told_view(view) for view in views],
    }


def _told_line(line: Line, languages: Mapping[str, str]) -> dict[str, str]:
    told = line.name if line.task is None else f"{line.task} / {languages[line.language or '']}"
    return {"name": line.name, "told": told}


def _told_view(view: View) -> dict[str, Any]:
    reasons = sorted(set(view.reasons.values()))
    return {
        "model": view.model,
        "variant": view.variant,
        "letters": view.letters,
        "deltas": view.deltas,
        "reasons": reasons,
        "missing": {str(place): reasons.index(reason) for place, reason in view.reasons.items()},
        **{name: values for name, values in view.values.items() if values is not None},
    }
