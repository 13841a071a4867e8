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
    """One row or column.

    Attributes
    ----------
    name
        ``task/language``, or the name of a mix or control.
    band
        The task, ``mixes`` or ``controls``.
    label
        The short text at the line.
    task, language
        None for mixes and controls, which are not one cell.
    """

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
    """Every source that was measured or planned, or that failed.

    Parameters
    ----------
    deltas
        The table ``DELTAS``.
    head
        Planned sources, failures, and the order of tasks and languages.

    Returns
    -------
    tuple of Line
        Cells by task and language, then mixes, then controls.
    """
    kinds = deltas.select("source_name", "source_kind", "source_task", "source_language").unique(maintain_order=True)
    lines = {
        name: cell_line(task, language) if kind == "cell" else Line(name=name, band=_BAND_OF_KIND[kind], label=name)
        for name, kind, task, language in kinds.iter_rows()
    }
    failed = [failure.source for failure in head.failures if failure.source is not None]
    for name in (*head.sources, *failed):
        lines.setdefault(name, _line_by_name(name, head))
    return _ordered(lines.values(), head)


def target_lines(deltas: pl.DataFrame, head: ReportHead) -> tuple[Line, ...]:
    """Every target cell that was measured or planned.

    Parameters
    ----------
    deltas
        The table ``DELTAS``.
    head
        Planned targets, and the order of tasks and languages.

    Returns
    -------
    tuple of Line
        By task and language.
    """
    pairs = deltas.select("target_task", "target_language").unique(maintain_order=True)
    lines = {line.name: line for line in (cell_line(task, language) for task, language in pairs.iter_rows())}
    for name in head.targets:
        lines.setdefault(name, _line_by_name(name, head))
    return _ordered(lines.values(), head)


def cell_line(task: str, language: str) -> Line:
    """The line of one cell.

    Parameters
    ----------
    task, language
        The cell.

    Returns
    -------
    Line
        Its label is the language.
    """
    name = str(Cell(task=task, language=language))
    return Line(name=name, band=task, label=language, task=task, language=language)


def bands(lines: tuple[Line, ...]) -> tuple[Band, ...]:
    """The groups of neighbouring lines with the same band name."""
    grouped: list[Band] = []
    for name, members in groupby(lines, key=lambda line: line.band):
        first = grouped[-1].first + grouped[-1].size if grouped else 0
        grouped.append(Band(name=name, first=first, size=len(list(members))))
    return tuple(grouped)


def sort_key(name: str | None, order: tuple[str, ...]) -> tuple[int, str]:
    """A key that sorts names by their position in ``order``.

    Parameters
    ----------
    name
        Names that ``order`` lacks come last, by name.
    order
        The wanted order.

    Returns
    -------
    tuple of int and str
        The position and the name.
    """
    return (order.index(name) if name in order else len(order), name or "")


def _line_by_name(name: str, head: ReportHead) -> Line:
    task, _, language = name.rpartition("/")
    if task in head.tasks and language in head.languages:
        return cell_line(task, language)
    return Line(name=name, band=MIXES, label=name)


def _ordered(lines: Iterable[Line], head: ReportHead) -> tuple[Line, ...]:
    def key(line: Line) -> tuple[object, ...]:
        kind = (MIXES, CONTROLS).index(line.band) + 1 if line.task is None else 0
        return (kind, sort_key(line.band, head.tasks), sort_key(line.language, head.languages), line.name)

    return tuple(sorted(lines, key=key))
