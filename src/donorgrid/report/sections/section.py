"""What a section of the page consists of, and the helpers that most sections use."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

from donorgrid.report.arms import by_arm
from donorgrid.report.figures.dotplot import DotPlot
from donorgrid.report.plain_tables import plain_table

Tables = Mapping[str, pl.DataFrame]
"""Table name to table, as ``known_tables.checked_tables`` returns them."""


@dataclass(frozen=True, kw_only=True)
class Part:
    """One arm of a section; ``label`` is empty if there is only one. The section's template draws ``content``."""

    label: str
    content: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Section:
    """A section, drawn by the template ``sections/<kind>.html.j2``; ``id`` is its anchor on the page."""

    id: str
    title: str
    kind: str
    parts: tuple[Part, ...]


def filled(tables: Tables, name: str) -> pl.DataFrame | None:
    """A table if it is there and has rows.

    Parameters
    ----------
    tables
        Table name to table.
    name
        The wanted table.

    Returns
    -------
    polars.DataFrame or None
        None if the table is absent or empty.
    """
    frame = tables.get(name)
    return None if frame is None or frame.is_empty() else frame


def parts_of(frame: pl.DataFrame, draw: Callable[[pl.DataFrame], Mapping[str, Any]]) -> tuple[Part, ...]:
    """A part per arm of a table.

    Parameters
    ----------
    frame
        A table that may hold several arms.
    draw
        Turns the rows of one arm into what the template draws.

    Returns
    -------
    tuple of Part
        In the order of the table.
    """
    return tuple(Part(label=label, content=draw(rows)) for label, rows in by_arm(frame))


def tabled_section(
    frame: pl.DataFrame | None,
    *,
    anchor: str,
    title: str,
    note: str,
    plot: Callable[[pl.DataFrame], DotPlot | None] = lambda _: None,
    remarks: Callable[[pl.DataFrame], tuple[str, ...]] = lambda _: (),
) -> Section | None:
    """A section of the kind ``tabled``: a note, a dot plot, remarks, and the whole table.

    Parameters
    ----------
    frame
        The table, or None.
    anchor, title, note
        The section's anchor, its heading (also the table's caption), and the paragraph that explains it.
    plot, remarks
        Draw the figure and write the remarks for one arm; neither is required.

    Returns
    -------
    Section or None
        None without a table.
    """
    if frame is None:
        return None

    def draw(rows: pl.DataFrame) -> Mapping[str, Any]:
        return {"note": note, "plot": plot(rows), "remarks": remarks(rows), "table": plain_table(rows, title)}

    return Section(id=anchor, title=title, kind="tabled", parts=parts_of(frame, draw))
