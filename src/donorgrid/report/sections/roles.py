"""Donors and recipients: their scores, and the small matrices that show which one gives to which."""

import polars as pl

from donorgrid.report.arms import by_arm
from donorgrid.report.figures.dotplot import DotPlot, dot_plot
from donorgrid.report.figures.matrices import matrix
from donorgrid.report.figures.series import series_with_se
from donorgrid.report.head import ReportHead
from donorgrid.report.intervals import without_intervals
from donorgrid.report.plain_tables import PlainTable, plain_table
from donorgrid.report.sections.section import Part, Section, Tables, filled
from donorgrid.report.standard_errors import error_column, error_in_words


def roles_section(tables: Tables, head: ReportHead) -> Section | None:
    """Donor scores against recipient scores.

    Parameters
    ----------
    tables
        Any of ``roles_language``, ``roles_task`` and ``roles_family``.
    head
        Gives the languages' names.

    Returns
    -------
    Section or None
        None if all three tables are absent or empty.
    """
    titles = {"language": "Languages", "task": "Tasks", "language_family": "Language families"}
    names = {code: head.language(code) for code in head.language_names}
    figures: dict[str, list[tuple[DotPlot, PlainTable]]] = {}
    errors: dict[str, str] = {}
    resampled = filled(tables, "intervals") is not None
    for kind, title in titles.items():
        frame = filled(tables, f"roles_{kind.removeprefix('language_')}")
        for label, rows in () if frame is None else by_arm(frame):
            shown = without_intervals(rows) if resampled and kind != "language_family" else rows
            figure = (_roles_plot(rows, kind, title, head), plain_table(shown, title, names))
            figures.setdefault(label, []).append(figure)
            errors[label] = errors.get(label) or error_in_words(rows, "donor")
    parts = tuple(
        Part(label=label, content={"figures": drawn, "errors": errors[label]}) for label, drawn in figures.items()
    )
    return Section(id="roles", title="Donors and recipients", kind="roles", parts=parts) if parts else None


def _roles_plot(frame: pl.DataFrame, kind: str, title: str, head: ReportHead) -> DotPlot:
    ordered = frame.sort(["donor_pp", kind], descending=[True, False], nulls_last=True)
    labels = [head.language(name) if kind == "language" else name for name in ordered[kind]]
    series = tuple(
        series_with_se(
            ordered, labels, kind=role, name=f"as {role}", value=f"{role}_pp", error=error_column(frame, role)
        )
        for role in ("donor", "recipient")
    )
    return dot_plot(title, "pp", labels, series)


def pairs_section(tables: Tables, head: ReportHead) -> Section | None:
    """Language to language and task to task.

    Parameters
    ----------
    tables
        Either of ``matrix_language`` and ``matrix_task``.
    head
        The order of languages and tasks.

    Returns
    -------
    Section or None
        None if both tables are absent or empty.
    """
    wanted = (
        ("language", "Language to language, within one task", head.languages),
        ("task", "Task to task, within one language", head.tasks),
    )
    figures: dict[str, list[object]] = {}
    for kind, title, order in wanted:
        frame = filled(tables, f"matrix_{kind}")
        for label, rows in () if frame is None else by_arm(frame):
            figures.setdefault(label, []).append((matrix(title, rows, kind, order), plain_table(rows, title)))
    parts = tuple(Part(label=label, content={"figures": drawn}) for label, drawn in figures.items())
    return Section(id="pairs", title="Who gives to whom", kind="matrices", parts=parts) if parts else None
