"""Sources compared: the best ones, and how much of what they give is specific to them."""

from collections.abc import Mapping
from typing import Any

import polars as pl

from donorgrid.report.figures.dotplot import DotPlot, dot_plot
from donorgrid.report.figures.series import series_with_se
from donorgrid.report.intervals import without_intervals
from donorgrid.report.plain_tables import plain_table
from donorgrid.report.sections.section import Part, Section, Tables, filled, parts_of
from donorgrid.report.standard_errors import error_column

_MOST_DRAWN = 20


def sources_section(tables: Tables) -> Section | None:
    """The sources by what they give to all other cells, then what choosing the best one overstates."""
    frame = filled(tables, "sources")
    if frame is None:
        return None
    note = (
        "Each source by its mean delta over all targets except its own cell. The best of many looks better than it "
        "is: the second table shows what the source chosen on one half of the data gives on the other half."
    )
    resampled = filled(tables, "intervals") is not None

    def draw(rows: pl.DataFrame) -> Mapping[str, Any]:
        shown = without_intervals(rows) if resampled else rows
        return {"note": note, "plot": _ranked(rows), "table": plain_table(shown, "Sources")}

    parts = parts_of(frame, draw)
    choices = filled(tables, "choosing")
    if choices is not None:
        table = plain_table(choices, "The best choice, on all data and on the held-out half")
        parts = (*parts, Part(label="", content={"note": "", "plot": None, "table": table}))
    return Section(id="sources", title="Sources compared", kind="tabled", parts=parts)


def specific_section(tables: Tables) -> Section | None:
    """Transfer beyond what a control gives to the same target."""
    frame = filled(tables, "specific_regimes")
    if frame is None:
        return None
    note = (
        "Delta minus what a control gives to the same target. What remains is specific to the source: any training in "
        "this format would bring out the rest."
    )

    def draw(rows: pl.DataFrame) -> Mapping[str, Any]:
        labels = [f"{control}, {regime}" for control, regime in rows.select("control", "regime").iter_rows()]
        series = series_with_se(
            rows, labels, kind="donor", name="specific transfer", value="mean_pp", error=error_column(rows, "mean")
        )
        return {
            "note": note,
            "plot": dot_plot("Specific transfer", "pp", labels, (series,)),
            "table": plain_table(rows, "Specific transfer by control and regime"),
        }

    return Section(id="specific", title="Elicitation or transfer", kind="tabled", parts=parts_of(frame, draw))


def _ranked(frame: pl.DataFrame) -> DotPlot:
    best = frame.sort("rank", nulls_last=True).head(_MOST_DRAWN)
    labels = [f"{task}/{language}" for task, language in best.select("source_task", "source_language").iter_rows()]
    error = "se_pp" if best["se_pp"].is_not_null().any() else "noise_se_pp"
    series = series_with_se(best, labels, kind="donor", name="mean delta given", value="mean_pp", error=error)
    return dot_plot("Sources", "pp", labels, (series,))
