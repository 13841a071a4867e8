"""On-task against off-task: what each source gives to its own task and to the others."""

from collections.abc import Mapping
from typing import Any

import polars as pl

from donorgrid.report.figures.pareto import panels, shown_columns
from donorgrid.report.head import ReportHead
from donorgrid.report.plain_tables import plain_table
from donorgrid.report.sections.section import Section, Tables, filled, parts_of


def pareto_section(tables: Tables, head: ReportHead) -> Section | None:
    """A scatter plot per model.

    Parameters
    ----------
    tables
        ``pareto``.
    head
        The order of the models.

    Returns
    -------
    Section or None
        None without the table.
    """
    frame = filled(tables, "pareto")
    if frame is None:
        return None

    def draw(rows: pl.DataFrame) -> Mapping[str, Any]:
        caption = "Sources, on and off their task"
        return {"panels": panels(rows, head.models), "table": plain_table(shown_columns(rows), caption)}

    return Section(id="pareto", title="On-task against off-task", kind="pareto", parts=parts_of(frame, draw))
