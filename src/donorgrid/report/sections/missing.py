"""What is missing: cells that were not measured, and work that failed."""

import polars as pl

from donorgrid.report.formatting import ABSENT
from donorgrid.report.head import ReportHead
from donorgrid.report.plain_tables import PlainTable
from donorgrid.report.sections.section import Part, Section, Tables, filled, tabled_section


def coverage_section(tables: Tables) -> Section | None:
    """The models, sources and targets from which cells are missing; None if nothing is."""
    frame = filled(tables, "coverage")
    if frame is None or not frame["n_missing"].sum():
        return None
    return tabled_section(
        frame.filter(pl.col("n_missing") > 0),
        anchor="coverage",
        title="Missing cells",
        note="The cells that a full grid of the measured models, sources and targets would have, and how many of them "
        "were measured.",
    )


def failures_section(head: ReportHead) -> Section | None:
    """The work that failed, with the reasons."""
    if not head.failures:
        return None
    rows = tuple(
        (
            failure.source or "baseline",
            failure.target or "every target",
            failure.model,
            failure.recipe or "every recipe",
            ABSENT if failure.train_seed is None else str(failure.train_seed),
            failure.reason,
        )
        for failure in head.failures
    )
    table = PlainTable(
        caption="Work that failed",
        headings=("source", "target", "model", "recipe", "train seed", "reason"),
        numeric=(False, False, False, False, True, False),
        rows=rows,
    )
    note = "Failed work is missing from every table and never counts as zero. Run the study again to repeat it."
    part = Part(label="", content={"note": note, "plot": None, "table": table})
    return Section(id="failures", title="Failures", kind="tabled", parts=(part,))
