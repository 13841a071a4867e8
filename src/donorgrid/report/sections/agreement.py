"""Agreement between models: on whom a source helps, and on how they rank donors."""

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from donorgrid.report.figures.dotplot import DotPlot, dot_plot
from donorgrid.report.figures.series import Series, series_with_interval
from donorgrid.report.formatting import is_absent, shown
from donorgrid.report.plain_tables import plain_table
from donorgrid.report.sections.section import Section, Tables, filled, parts_of, tabled_section


def consistency_section(tables: Tables) -> Section | None:
    """The consistency index by level and regime."""
    return tabled_section(
        filled(tables, "consistency"),
        anchor="consistency",
        title="Agreement between models",
        note="Do models agree on which targets a source helps? Median Kendall τ-b over sources with its quartiles; 1 "
        "is full agreement.",
        plot=_medians,
    )


def _medians(frame: pl.DataFrame) -> DotPlot:
    labels = [f"{level}, {regime}" for level, regime in frame.select("level", "regime").iter_rows()]
    series = series_with_interval(frame, labels, name="median τ-b", value="median", low="q1", high="q3")
    return dot_plot("Consistency index", "τ-b", labels, (series,))


def agreement_section(tables: Tables) -> Section | None:
    """Whether models rank donors alike, next to how well a model agrees with itself."""
    frame = filled(tables, "agreement")
    if frame is None:
        return None
    note = (
        "Do models rank donors alike, and do tasks translated by people and by machines? Mean Kendall τ-b over pairs; "
        "1 is full agreement. The ceiling is how well one model agrees with itself on the other half of the items: "
        "because of noise, two models cannot agree better than that."
    )

    def draw(rows: pl.DataFrame) -> Mapping[str, Any]:
        return {"note": note, "plot": _taus(rows), "table": plain_table(rows, "Agreement of donor ranks")}

    return Section(id="agreement", title="Ranks of donors", kind="tabled", parts=parts_of(frame, draw))


def _taus(rows: pl.DataFrame) -> DotPlot:
    labels = [f"{what}s, between {between}" for what, between in rows.select("what", "between").iter_rows()]
    series = (
        _tau_series(rows, labels, kind="donor", name="τ-b", column="kendall"),
        _tau_series(rows, labels, kind="third", name="ceiling", column="ceiling_kendall"),
    )
    return dot_plot("Agreement of donor ranks", "τ-b", labels, series)


def _tau_series(rows: pl.DataFrame, labels: Sequence[str], *, kind: str, name: str, column: str) -> Series:
    values = tuple(None if is_absent(value) else value for value in rows[column])
    tooltips = tuple(f"{label}, {name}: {shown(column, value)}" for label, value in zip(labels, values, strict=True))
    no_whiskers = (None,) * len(values)
    return Series(kind=kind, name=name, values=values, lows=no_whiskers, highs=no_whiskers, tooltips=tooltips)
