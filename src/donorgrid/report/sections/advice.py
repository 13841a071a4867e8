"""The sections that a choice of training data rests on: the best sources, and what is specific to them."""

from collections.abc import Mapping
from typing import Any

import polars as pl

from donorgrid.report.figures.dotplot import dot_plot, series_with_se
from donorgrid.report.plain_tables import plain_table
from donorgrid.report.sections.section import Part, Section, Tables, filled, parts_of
from donorgrid.report.standard_errors import error_beside

_NAMED = 20


def sources_section(tables: Tables) -> Section | None:
    """The sources by what they give to all other cells; behind them what choosing the best one flatters."""
    frame = filled(tables, "sources")
    if frame is None:
        return None
    note = (
        "Each source by its mean delta over all targets but its own cell. The best of many looks better than it is: "
        "the table of choices says what the one chosen on half of the items gives on the other half."
    )
    parts = parts_of(frame, lambda rows: {"note": note, "plot": _ranked(rows), "table": plain_table(rows, "Sources")})
    chosen = filled(tables, "choosing")
    if chosen is not None:
        table = plain_table(chosen, "Choices, and what they hold")
        parts = (*parts, Part(label="", content={"note": "", "plot": None, "table": table}))
    return Section(id="sources", title="What to train on", kind="tabled", parts=parts)


def specific_section(tables: Tables) -> Section | None:
    """Transfer beyond what a control gives the same target."""
    frame = filled(tables, "specific_regimes")
    if frame is None:
        return None
    note = (
        "Delta minus what a control gives the same target: what is left is specific to the source, and not what any "
        "training in this format brings out."
    )

    def draw(rows: pl.DataFrame) -> Mapping[str, Any]:
        labels = [f"{control}, {regime}" for control, regime in rows.select("control", "regime").iter_rows()]
        series = series_with_se(rows, "donor", "specific transfer", ("mean_pp", error_beside(rows, "mean")), labels)
        return {
            "note": note,
            "plot": dot_plot("Specific transfer", "pp", labels, (series,)),
            "table": plain_table(rows, "Specific transfer by control and regime"),
        }

    return Section(id="specific", title="Elicitation or transfer", kind="tabled", parts=parts_of(frame, draw))


def _ranked(frame: pl.DataFrame) -> Any:
    best = frame.sort("rank", nulls_last=True).head(_NAMED)
    labels = [f"{task}/{language}" for task, language in best.select("source_task", "source_language").iter_rows()]
    error = "se_pp" if best["se_pp"].is_not_null().any() else "noise_se_pp"
    series = series_with_se(best, "donor", "mean delta given", ("mean_pp", error), labels)
    return dot_plot("Sources", "pp", labels, (series,))
