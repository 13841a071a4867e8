"""The sections that a study may have: variance, agreement, noise, linguistic distance, what is missing, failures."""

from collections.abc import Callable, Mapping
from typing import Any

import polars as pl

from donorgrid.report.figures.dotplot import DotPlot, dot_plot, series_of_rates, series_with_interval
from donorgrid.report.formatting import ABSENT
from donorgrid.report.head import ReportHead
from donorgrid.report.plain_tables import PlainTable, plain_table
from donorgrid.report.sections.section import Part, Section, Tables, filled, parts_of

Draw = Callable[[pl.DataFrame], DotPlot | None]
Remarks = Callable[[pl.DataFrame], tuple[str, ...]]


def variance_section(tables: Tables) -> Section | None:
    """Variance shares per scope and fit."""
    note = (
        "Shares of the variance of deltas in mixed-effects fits by REML; drawn is the crossed fit with its intervals."
    )
    return _tabled(tables, "variance", "Where the variance lies", note, _variance_plot, _variance_remarks)


def consistency_section(tables: Tables) -> Section | None:
    """The consistency index per level and regime."""
    note = "Do models agree on whom a source helps? Median Kendall τ-b over sources with its quartiles; 1 is agreement."
    return _tabled(tables, "consistency", "Agreement between models", note, _consistency_plot)


def noise_section(tables: Tables) -> Section | None:
    """Observed harm rates beside what noise alone would give."""
    note = "How much harm would be counted if no training had any effect, beside what was counted."
    return _tabled(tables, "noise", "Harm and noise", note, _noise_plot)


def linguistic_section(tables: Tables) -> Section | None:
    """Correlations with linguistic distance."""
    note = "Correlation of MT-CL transfer with the distance between the two languages."
    return _tabled(tables, "linguistic", "Linguistic distance", note)


def coverage_section(tables: Tables) -> Section | None:
    """What is missing from the grid, and from which models, sources and targets; left out when nothing is."""
    frame = filled(tables, "coverage")
    if frame is None or not frame["n_missing"].sum():
        return None
    gaps = frame.filter(pl.col("n_missing") > 0)
    note = "Cells that the full grid of measured models, sources and targets would have, and how many were found."
    return _tabled({"coverage": gaps}, "coverage", "Missing cells", note)


def failures_section(head: ReportHead) -> Section | None:
    """The work that failed, with its reasons."""
    if not head.failures:
        return None
    rows = tuple(
        (
            one.source or "baseline",
            one.target or "every target",
            one.model,
            one.recipe or "every recipe",
            ABSENT if one.train_seed is None else str(one.train_seed),
            one.reason,
        )
        for one in head.failures
    )
    table = PlainTable(
        caption="Work that failed",
        headings=("source", "target", "model", "recipe", "train seed", "reason"),
        numeric=(False, False, False, False, True, False),
        rows=rows,
    )
    note = "What failed is missing from every table, never zero. Running the study again takes it up again."
    part = Part(label="", content={"note": note, "plot": None, "table": table})
    return Section(id="failures", title="Failures", kind="tabled", parts=(part,))


def _tabled(
    tables: Tables, name: str, title: str, note: str, plot: Draw | None = None, remarks: Remarks | None = None
) -> Section | None:
    frame = filled(tables, name)
    if frame is None:
        return None

    def draw(rows: pl.DataFrame) -> Mapping[str, Any]:
        return {
            "note": note,
            "plot": None if plot is None else plot(rows),
            "remarks": () if remarks is None else remarks(rows),
            "table": plain_table(rows, title),
        }

    return Section(id=name, title=title, kind="tabled", parts=parts_of(frame, draw))


def _variance_plot(frame: pl.DataFrame) -> DotPlot | None:
    crossed = frame.filter(pl.col("fit") == "crossed")
    labels = [f"{scope}, {component}" for scope, component in crossed.select("scope", "component").iter_rows()]
    if not labels:
        return None
    series = series_with_interval(crossed, "share of the variance", ("share", "share_low", "share_high"), labels)
    return dot_plot("Variance shares of the crossed fit", "%", labels, (series,), scale=100)


def _variance_remarks(frame: pl.DataFrame) -> tuple[str, ...]:
    """What a reader must know of fits: components at zero, and fits that did not converge."""
    if not {"status", "converged", "scope", "fit", "component"} <= set(frame.columns):
        return ()
    at_zero = frame.filter(pl.col("status") == "at zero")
    failed = frame.filter(~pl.col("converged")).unique(["scope", "fit"], maintain_order=True)
    told = {
        "At zero, where the fit found nothing for a component beside the others": [
            f"{component} ({fit}, {scope})"
            for scope, fit, component in at_zero.select("scope", "fit", "component").rows()
        ],
        "Not converged, so not to be relied on": [
            f"{fit}, {scope}" for scope, fit in failed.select("scope", "fit").iter_rows()
        ],
    }
    return tuple(f"{what}: {'; '.join(which)}." for what, which in told.items() if which)


def _consistency_plot(frame: pl.DataFrame) -> DotPlot:
    labels = [f"{level}, {regime}" for level, regime in frame.select("level", "regime").iter_rows()]
    series = series_with_interval(frame, "median τ-b", ("median", "q1", "q3"), labels)
    return dot_plot("Consistency index", "τ-b", labels, (series,))


def _noise_plot(frame: pl.DataFrame) -> DotPlot | None:
    labels = frame["regime"].to_list()
    wanted = (
        ("donor", "observed", "harm_rate"),
        ("recipient", "expected from noise alone", "expected_harm_rate_no_effect"),
        ("third", "empirical Bayes", "eb_harm_rate"),
    )
    series = tuple(
        series_of_rates(frame, kind, name, column, labels) for kind, name, column in wanted if column in frame.columns
    )
    return dot_plot("Harm rate by regime", "%", labels, series, scale=100) if series else None
