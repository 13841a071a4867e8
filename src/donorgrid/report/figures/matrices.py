"""Small matrices (language by language, task by task) with their numbers written in the cells."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

from donorgrid.report.figures.axes import round_limit
from donorgrid.report.figures.heatmap.lines import sort_key
from donorgrid.report.figures.palette import letter_of
from donorgrid.report.formatting import count, is_absent, signed_pp, with_se

WIDTH, HEIGHT = 50, 26
_CHARACTER_WIDTH = 6.6


@dataclass(frozen=True, kw_only=True)
class MatrixCell:
    """One mean.

    Attributes
    ----------
    x, y
        Column (target) and row (source), from 0.
    letter, text
        Its colour (``palette.letter_of``) and its number.
    same
        Whether source and target are the same.
    tooltip
        The text that a reader sees at the cell.
    """

    x: int
    y: int
    letter: str
    text: str
    same: bool
    tooltip: str


@dataclass(frozen=True, kw_only=True)
class Matrix:
    """A matrix as the template draws it.

    Attributes
    ----------
    title, sources, targets
        Texts; a source per row and a target per column.
    cells, holes
        The cells with a value, and the (x, y) of those without.
    limit_pp
        The delta at which the colours end.
    label_width
        Pixels for the sources' names.
    vertical
        Whether the targets' names are written vertically.
    """

    title: str
    sources: tuple[str, ...]
    targets: tuple[str, ...]
    cells: tuple[MatrixCell, ...]
    holes: tuple[tuple[int, int], ...]
    limit_pp: float
    label_width: int
    vertical: bool

    @property
    def header(self) -> int:
        """Pixels above the first row."""
        longest = max(len(name) for name in self.targets)
        return round(_CHARACTER_WIDTH * longest) + 10 if self.vertical else 20


def matrix(title: str, frame: pl.DataFrame, kind: str, order: tuple[str, ...]) -> Matrix:
    """Lays out a long table as a matrix.

    Parameters
    ----------
    title
        The figure's name.
    frame
        Columns ``source_<kind>``, ``target_<kind>``, ``mean_pp``, ``se_pp``, ``n`` and ``same``.
    kind
        ``language`` or ``task``.
    order
        The order of rows and columns; names that it lacks come last.

    Returns
    -------
    Matrix
        Colours end at the largest mean, rounded up.
    """
    source, target = f"source_{kind}", f"target_{kind}"
    sources = tuple(sorted(frame[source].unique().to_list(), key=lambda name: sort_key(name, order)))
    targets = tuple(sorted(frame[target].unique().to_list(), key=lambda name: sort_key(name, order)))
    rows = [row for row in frame.iter_rows(named=True) if not is_absent(row["mean_pp"])]
    limit = round_limit(max((abs(row["mean_pp"]) for row in rows), default=1.0))
    cells = tuple(
        MatrixCell(
            x=targets.index(row[target]),
            y=sources.index(row[source]),
            letter=letter_of(row["mean_pp"], limit),
            text=signed_pp(row["mean_pp"]),
            same=bool(row.get("same", row[source] == row[target])),
            tooltip=f"{row[source]} → {row[target]}: {_value(row)}",
        )
        for row in rows
    )
    filled = {(cell.x, cell.y) for cell in cells}
    return Matrix(
        title=title,
        sources=sources,
        targets=targets,
        cells=cells,
        holes=tuple((x, y) for y in range(len(sources)) for x in range(len(targets)) if (x, y) not in filled),
        limit_pp=limit,
        label_width=round(_CHARACTER_WIDTH * max(len(name) for name in sources)) + 10,
        vertical=max(len(name) for name in targets) * _CHARACTER_WIDTH > WIDTH,
    )


def _value(row: Mapping[str, Any]) -> str:
    return f"{with_se(row['mean_pp'], row.get('se_pp'))} pp, n = {count(row['n'])}"
