"""Small matrices (language × language, task × task) with their numbers written in the cells."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

from donorgrid.report.figures.axes import round_limit
from donorgrid.report.figures.lines import rank
from donorgrid.report.figures.palette import letter_of
from donorgrid.report.formatting import count, is_absent, signed_pp, with_se

WIDTH, HEIGHT = 44, 26
_CHARACTER = 6.6


@dataclass(frozen=True, kw_only=True)
class MatrixCell:
    """One mean: its place, colour letter, text, and whether source and target are the same."""

    x: int
    y: int
    letter: str
    text: str
    same: bool
    told: str


@dataclass(frozen=True, kw_only=True)
class Matrix:
    """A matrix as the template draws it; ``holes`` are places without a value, ``limit_pp`` the colours' end."""

    title: str
    sources: tuple[str, ...]
    targets: tuple[str, ...]
    cells: tuple[MatrixCell, ...]
    holes: tuple[tuple[int, int], ...]
    limit_pp: float
    label_width: int
    turned: bool

    @property
    def header(self) -> int:
        """Pixels above the first row."""
        longest = max(len(name) for name in self.targets)
        return round(_CHARACTER * longest) + 10 if self.turned else 20


def _value(row: Mapping[str, Any]) -> str:
    return f"{with_se(row['mean_pp'], row.get('se_pp'))} pp, n = {count(row['n'])}"


def matrix(title: str, frame: pl.DataFrame, kind: str, order: tuple[str, ...]) -> Matrix:
    """Lay out the long table of ``kind`` (language or task): columns source_*, target_*, mean_pp, se_pp, n, same."""
    source, target = f"source_{kind}", f"target_{kind}"
    sources = tuple(sorted(frame[source].unique().to_list(), key=lambda name: rank(name, order)))
    targets = tuple(sorted(frame[target].unique().to_list(), key=lambda name: rank(name, order)))
    rows = [row for row in frame.iter_rows(named=True) if not is_absent(row["mean_pp"])]
    limit = round_limit(max((abs(row["mean_pp"]) for row in rows), default=1.0))
    cells = tuple(
        MatrixCell(
            x=targets.index(row[target]),
            y=sources.index(row[source]),
            letter=letter_of(row["mean_pp"], limit),
            text=signed_pp(row["mean_pp"]),
            same=bool(row.get("same", row[source] == row[target])),
            told=f"{row[source]} → {row[target]}: {_value(row)}",
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
        label_width=round(_CHARACTER * max(len(name) for name in sources)) + 10,
        turned=max(len(name) for name in targets) * _CHARACTER > WIDTH,
    )
