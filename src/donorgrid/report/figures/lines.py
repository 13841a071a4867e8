"""The rows (sources) and columns (targets) of the heat map: names, labels, order, and the bands that group them."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby

import polars as pl

from donorgrid.core.records import Cell
from donorgrid.report.head import ReportHead

MIXES, CONTROLS = "mixes", "controls"
_BAND_OF_KIND = {"mix": MIXES, "control": CONTROLS}


@dataclass(frozen=True, kw_only=True)
class Line:
    """One row or column. ``task`` and ``language`` are None for mixes and controls, which are no one cell."""

    name: str
    band: str
    label: str
    task: str | None = None
    language: str | None = None


@dataclass(frozen=True, kw_only=True)
class Band:
    """Neighbouring lines of one task (or the mixes, or the controls): ``size`` lines from index ``first`` on."""

    name: str
    first: int
    size: int


def source_lines(deltas: pl.DataFrame, head: ReportHead) -> tuple[Line, ...]:
    """Every source that was measured, planned or failed; cells by task and language, then mixes, then controls."""
    kinds = deltas.select("source_name", "source_kind", "source_task", "source_language").unique(maintain_order=True)
    lines = {
        name: cell_line(task, language) if kind == "cell" else Line(name=name, band=_BAND_OF_KIND[kind], label=name)
        for name, kind, task, language in kinds.iter_rows()
    }
    unmeasured = (*head.sources, *(one.source for one in head.failures if one.source is not None))
    for name in unmeasured:
        lines.setdefault(name, _line_by_name(name, head))
    return _ordered(lines.values(), head)


def target_lines(deltas: pl.DataFrame, head: ReportHead) -> tuple[Line, ...]:
    """Every target cell that was measured or planned, by task and language."""
    pairs = deltas.select("target_task", "target_language").unique(maintain_order=True)
    lines = {line.name: line for line in (cell_line(task, language) for task, language in pairs.iter_rows())}
    for name in head.targets:
        lines.setdefault(name, _line_by_name(name, head))
    return _ordered(lines.values(), head)


def cell_line(task: str, language: str) -> Line:
    """The line of one cell."""
    name = str(Cell(task=task, language=language))
    return Line(name=name, band=task, label=language, task=task, language=language)


def bands(lines: tuple[Line, ...]) -> tuple[Band, ...]:
    """The runs of neighbouring lines with one band name."""
    found: list[Band] = []
    for name, members in groupby(lines, key=lambda line: line.band):
        first = found[-1].first + found[-1].size if found else 0
        found.append(Band(name=name, first=first, size=len(list(members))))
    return tuple(found)


def rank(name: str | None, order: tuple[str, ...]) -> tuple[int, str]:
    """A sort key: the place in ``order``, what is not in it last and by name."""
    return (order.index(name) if name in order else len(order), name or "")


def _line_by_name(name: str, head: ReportHead) -> Line:
    task, _, language = name.rpartition("/")
    if task in head.tasks and language in head.languages:
        return cell_line(task, language)
    return Line(name=name, band=MIXES, label=name)


def _ordered(lines: Iterable[Line], head: ReportHead) -> tuple[Line, ...]:
    def place(line: Line) -> tuple[object, ...]:
        last = (MIXES, CONTROLS).index(line.band) + 1 if line.task is None else 0
        return (last, rank(line.band, head.tasks), rank(line.language, head.languages), line.name)

    return tuple(sorted(lines, key=place))
