"""The sections of every study: regimes, the matrix, roles, who gives to whom, on-task against off-task."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

from donorgrid.report.arms import by_arm
from donorgrid.report.figures.dotplot import DotPlot, dot_plot, series_with_se
from donorgrid.report.figures.heatmap import heat_map
from donorgrid.report.figures.matrices import matrix
from donorgrid.report.figures.pareto import panels, shown_columns
from donorgrid.report.figures.views import error_column
from donorgrid.report.formatting import is_absent, percent
from donorgrid.report.head import ReportHead
from donorgrid.report.intervals import regime_intervals, role_intervals
from donorgrid.report.plain_tables import plain_table
from donorgrid.report.sections.section import Part, Section, Tables, filled, parts_of
from donorgrid.report.standard_errors import error_beside, error_in_words


@dataclass(frozen=True, kw_only=True)
class RateBar:
    """Harm rate and positive-transfer rate of one regime, in percent of the bar."""

    label: str
    harm: float
    positive: float
    told: str


def regimes_section(tables: Tables) -> Section | None:
    """Mean and rates by regime; behind them the same without degenerate targets, where the harm is, and the rest."""
    frame = filled(tables, "regimes")
    if frame is None:
        return None
    further = (
        *([("regimes_sound", "Without degenerate targets")] if filled(tables, "degenerate") is not None else []),
        ("harm_breakdown", "Where the harm is"),
        ("mixes_controls", "Mixes and controls, over all their targets"),
    )
    resampled = filled(tables, "intervals")
    intervals = {} if resampled is None else dict(by_arm(resampled))
    behind = {name: dict(by_arm(rows)) for name, _ in further if (rows := filled(tables, name)) is not None}
    parts = tuple(
        Part(
            label=label,
            content={
                **_regimes(rows),
                **_intervals(intervals.get(label)),
                "further": tuple(
                    plain_table(behind[name][label], caption)
                    for name, caption in further
                    if label in behind.get(name, {})
                ),
            },
        )
        for label, rows in by_arm(frame)
    )
    return Section(id="regimes", title="Transfer by regime", kind="regimes", parts=parts)


def _intervals(frame: pl.DataFrame | None) -> Mapping[str, Any]:
    return {
        "intervals": None if frame is None else regime_intervals(frame),
        "role_intervals": None if frame is None else role_intervals(frame),
    }


def _regimes(frame: pl.DataFrame) -> Mapping[str, Any]:
    labels = frame["regime"].to_list()
    means = series_with_se(frame, "donor", "mean delta", ("mean_pp", error_beside(frame, "mean")), labels)
    bars = tuple(
        RateBar(
            label=row["regime"],
            harm=100 * row["harm_rate"],
            positive=100 * row["positive_rate"],
            told=f"{row['regime']}: {percent(row['harm_rate'])} harmed, {percent(row['positive_rate'])} gained",
        )
        for row in frame.iter_rows(named=True)
        if not (is_absent(row["harm_rate"]) or is_absent(row["positive_rate"]))
    )
    first = ["regime", "n", "mean_pp", "mean_se_pp", "median_pp", "positive_rate", "harm_rate"]
    ordered = frame.select(*first, pl.exclude(first))
    return {
        "plot": dot_plot("Mean delta by regime", "pp", labels, (means,)),
        "errors": error_in_words(frame, "mean"),
        "bars": bars,
        "table": plain_table(ordered, "Transfer by regime"),
    }


def matrix_section(tables: Tables, head: ReportHead) -> Section | None:
    """The transfer matrix; all models and recipes are views of one figure."""
    drawn = heat_map(tables["deltas"], head)
    if drawn is None:
        return None
    degenerate = filled(tables, "degenerate")
    marked = () if degenerate is None else degenerate.select("task", "language").iter_rows()
    content = {
        "map": drawn,
        "error": _error_in_words(tables["deltas"]),
        "degenerate": frozenset("/".join(cell) for cell in marked),
    }
    return Section(id="matrix", title="Transfer matrix", kind="matrix", parts=(Part(label="", content=content),))


def _error_in_words(deltas: pl.DataFrame) -> str:
    name = error_column(deltas)
    if name not in deltas.columns or not deltas[name].is_not_null().any():
        return ""
    return {"se_pp": "over the test items", "se_seed_pp": "over train seeds"}[name]


def roles_section(tables: Tables, head: ReportHead) -> Section | None:
    """Donor against recipient scores of languages, tasks and language families."""
    wanted = (("language", "Languages"), ("task", "Tasks"), ("language_family", "Language families"))
    names = {code: head.language(code) for code in head.language_names}
    found: dict[str, list[tuple[DotPlot, object]]] = {}
    errors: dict[str, str] = {}
    for kind, title in wanted:
        frame = filled(tables, f"roles_{kind.removeprefix('language_')}")
        for label, rows in () if frame is None else by_arm(frame):
            figure = (_roles_plot(rows, kind, title, head), plain_table(rows, title, names))
            found.setdefault(label, []).append(figure)
            errors[label] = errors.get(label) or error_in_words(rows, "donor")
    parts = tuple(
        Part(label=label, content={"figures": figures, "errors": errors[label]}) for label, figures in found.items()
    )
    return Section(id="roles", title="Donors and recipients", kind="roles", parts=parts) if parts else None


def _roles_plot(frame: pl.DataFrame, kind: str, title: str, head: ReportHead) -> DotPlot:
    ordered = frame.sort(["donor_pp", kind], descending=[True, False], nulls_last=True)
    labels = [head.language(name) if kind == "language" else name for name in ordered[kind]]
    series = tuple(
        series_with_se(ordered, role, f"as {role}", (f"{role}_pp", error_beside(frame, role)), labels)
        for role in ("donor", "recipient")
    )
    return dot_plot(title, "pp", labels, series)


def pairs_section(tables: Tables, head: ReportHead) -> Section | None:
    """Language × language and task × task."""
    wanted = (
        ("language", "Language to language, within one task", head.languages),
        ("task", "Task to task, within one language", head.tasks),
    )
    found: dict[str, list[object]] = {}
    for kind, title, order in wanted:
        frame = filled(tables, f"matrix_{kind}")
        for label, rows in () if frame is None else by_arm(frame):
            found.setdefault(label, []).append((matrix(title, rows, kind, order), plain_table(rows, title)))
    parts = tuple(Part(label=label, content={"figures": figures}) for label, figures in found.items())
    return Section(id="pairs", title="Who gives to whom", kind="matrices", parts=parts) if parts else None


def pareto_section(tables: Tables, head: ReportHead) -> Section | None:
    """A scatter per model of what sources give to their own task and to the others."""
    frame = filled(tables, "pareto")
    if frame is None:
        return None

    def draw(rows: pl.DataFrame) -> Mapping[str, Any]:
        caption = "Sources, on and off their task"
        return {"panels": panels(rows, head.models), "table": plain_table(shown_columns(rows), caption)}

    return Section(id="pareto", title="On-task against off-task", kind="pareto", parts=parts_of(frame, draw))
