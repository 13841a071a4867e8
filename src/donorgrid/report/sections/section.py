"""What a section of the page is made of."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

from donorgrid.report.arms import by_arm

Tables = Mapping[str, pl.DataFrame]


@dataclass(frozen=True, kw_only=True)
class Part:
    """One arm of a section; ``label`` is empty where there is only one. The section's template draws ``content``."""

    label: str
    content: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Section:
    """One section, drawn by the template ``sections/<kind>.html.j2``."""

    id: str
    title: str
    kind: str
    parts: tuple[Part, ...]


def filled(tables: Tables, name: str) -> pl.DataFrame | None:
    """The table, or None when it is absent or has no rows."""
    frame = tables.get(name)
    return None if frame is None or frame.is_empty() else frame


def parts_of(frame: pl.DataFrame, draw: Callable[[pl.DataFrame], Mapping[str, Any]]) -> tuple[Part, ...]:
    """A part per arm of the frame."""
    return tuple(Part(label=label, content=draw(rows)) for label, rows in by_arm(frame))
