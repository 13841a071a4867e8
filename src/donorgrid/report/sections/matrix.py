"""The transfer matrix as a heat map."""

import polars as pl

from donorgrid.report.figures.heatmap import cell_error_column, heat_map
from donorgrid.report.head import ReportHead
from donorgrid.report.sections.section import Part, Section, Tables, filled


def matrix_section(tables: Tables, head: ReportHead) -> Section | None:
    """The transfer matrix; models and recipes are views of one figure.

    Parameters
    ----------
    tables
        ``deltas``, and ``degenerate`` to mark targets that measure no skill.
    head
        The order of tasks and languages, and what is planned.

    Returns
    -------
    Section or None
        None if there is no source or no target.
    """
    figure = heat_map(tables["deltas"], head)
    if figure is None:
        return None
    degenerate = filled(tables, "degenerate")
    marked = () if degenerate is None else degenerate.select("task", "language").iter_rows()
    content = {
        "map": figure,
        "error": _error_in_words(tables["deltas"]),
        "degenerate": frozenset("/".join(cell) for cell in marked),
    }
    return Section(id="matrix", title="Transfer matrix", kind="matrix", parts=(Part(label="", content=content),))


def _error_in_words(deltas: pl.DataFrame) -> str:
    name = cell_error_column(deltas)
    if name not in deltas.columns or not deltas[name].is_not_null().any():
        return ""
    return {"se_pp": "over the test items", "se_seed_pp": "over train seeds"}[name]
