"""The sections of the page in reading order: each picks its tables and lays out its figures, or is left out."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

from donorgrid.report.dotplot import DotPlot, dot_plot, series_of_rates, series_with_se
from donorgrid.report.head import ReportHead
from donorgrid.report.heatmap import heat_map
from donorgrid.report.matrices import matrix
from donorgrid.report.numbers import is_absent, percent
from donorgrid.report.pareto import panels
from donorgrid.report.plain_tables import PlainTable, plain_table

Tables = Mapping[str, pl.DataFrame]


@dataclass(frozen=True, kw_only=True)
class Section:
    """One section: the template ``sections/<kind>.html.j2`` draws ``content``."""

    id: str
    title: str
    kind: str
    content: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class RateBar:
    """Harm rate and positive-transfer rate of one regime, in percent of the bar."""

    label: str
    harm: float
    positive: float
    told: str


def sections(tables: Tables, head: ReportHead) -> tuple[Section, ...]:
    """Every section whose tables are there and not empty."""
    made = (
        _regimes(tables),
        _matrix(tables, head),
        _roles(tables, head),
        _matrices(tables, head),
        _pareto(tables, head),
        _variance(tables),
        _consistency(tables),
        _noise(tables),
        _linguistic(tables),
        _failures(head),
    )
    return tuple(section for section in made if section is not None)


def _table(tables: Tables, name: str) -> pl.DataFrame | None:
    frame = tables.get(name)
    return None if frame is None or frame.is_empty() else frame


def _regimes(tables: Tables) -> Section | None:
    frame = _table(tables, "regimes")
    if frame is None:
        return None
    labels = frame["regime"].to_list()
    means = series_with_se(frame, "donor", "mean delta", ("mean_pp", "se_pp"), labels)
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
    breakdown = _table(tables, "harm_breakdown")
    content = {
        "plot": dot_plot("Mean delta by regime", "pp", labels, (means,)),
        "bars": bars,
        "table": plain_table(_se_beside_mean(frame), "Transfer by regime"),
        "breakdown": None if breakdown is None else plain_table(breakdown, "Where the harm is"),
    }
    return Section(id="regimes", title="Transfer by regime", kind="regimes", content=content)


def _se_beside_mean(frame: pl.DataFrame) -> pl.DataFrame:
    if "se_pp" not in frame.columns:
        return frame
    rest = [name for name in frame.columns if name != "se_pp"]
    place = rest.index("mean_pp") + 1
    return frame.select(*rest[:place], "se_pp", *rest[place:])


def _matrix(tables: Tables, head: ReportHead) -> Section | None:
    drawn = heat_map(tables["deltas"], head)
    content = {"map": drawn, "degenerate": _degenerate(tables)}
    return None if drawn is None else Section(id="matrix", title="Transfer matrix", kind="matrix", content=content)


def _degenerate(tables: Tables) -> frozenset[str]:
    frame = _table(tables, "degenerate")
    return frozenset() if frame is None else frozenset(f"{row['task']}/{row['language']}" for row in frame.to_dicts())


def _roles(tables: Tables, head: ReportHead) -> Section | None:
    figures = []
    for kind, title in (("language", "Languages"), ("task", "Tasks")):
        frame = _table(tables, f"roles_{kind}")
        if frame is not None:
            figures.append((_roles_plot(frame, kind, title, head), plain_table(frame, title, _names(head))))
    if not figures:
        return None
    return Section(id="roles", title="Donors and recipients", kind="roles", content={"figures": figures})


def _roles_plot(frame: pl.DataFrame, kind: str, title: str, head: ReportHead) -> DotPlot:
    ordered = frame.sort(["donor_pp", kind], descending=[True, False], nulls_last=True)
    labels = [head.language(name) if kind == "language" else name for name in ordered[kind]]
    series = (
        series_with_se(ordered, "donor", "as donor", ("donor_pp", "donor_se_pp"), labels),
        series_with_se(ordered, "recipient", "as recipient", ("recipient_pp", "recipient_se_pp"), labels),
    )
    return dot_plot(title, "pp", labels, series)


def _names(head: ReportHead) -> Mapping[str, str]:
    return {code: head.language(code) for code in head.language_names}


def _matrices(tables: Tables, head: ReportHead) -> Section | None:
    wanted = (
        ("language", "Language to language, within one task", head.languages),
        ("task", "Task to task, within one language", head.tasks),
    )
    figures = []
    for kind, title, order in wanted:
        frame = _table(tables, f"matrix_{kind}")
        if frame is not None:
            figures.append((matrix(title, frame, kind, order), plain_table(frame, title)))
    content = {"figures": figures}
    return Section(id="pairs", title="Who gives to whom", kind="matrices", content=content) if figures else None


def _pareto(tables: Tables, head: ReportHead) -> Section | None:
    frame = _table(tables, "pareto")
    if frame is None:
        return None
    content = {"panels": panels(frame, head.models), "table": plain_table(frame, "Sources, on and off their task")}
    return Section(id="pareto", title="On-task against off-task", kind="pareto", content=content)


def _variance(tables: Tables) -> Section | None:
    frame = _table(tables, "variance")
    if frame is None:
        return None
    note = "Shares of the variance of deltas (REML mixed-effects fits), per scope and fit, with intervals where given."
    return _tabled("variance", "Where the variance lies", note, None, plain_table(frame, "Variance shares"))


def _consistency(tables: Tables) -> Section | None:
    frame = _table(tables, "consistency")
    if frame is None:
        return None
    labels = [f"{level}, {regime}" for level, regime in frame.select("level", "regime").iter_rows()]
    median = series_with_se(frame, "donor", "median τ-b", ("median", ""), labels)
    told = tuple(
        f"{label}: median {row['median']:.2f}, quartiles {row['q1']:.2f} to {row['q3']:.2f}"
        if not is_absent(row["median"])
        else label
        for label, row in zip(labels, frame.to_dicts(), strict=True)
    )
    series = type(median)(
        kind=median.kind,
        name=median.name,
        values=median.values,
        lows=tuple(frame["q1"]),
        highs=tuple(frame["q3"]),
        told=told,
    )
    note = (
        "Do models agree on whom a source helps? Median Kendall τ-b over sources, with quartiles; 1 is full agreement."
    )
    plot = dot_plot("Consistency index", "τ-b", labels, (series,))
    return _tabled("consistency", "Agreement between models", note, plot, plain_table(frame, "Consistency index"))


def _noise(tables: Tables) -> Section | None:
    frame = _table(tables, "noise")
    if frame is None:
        return None
    labels = frame["regime"].to_list()
    wanted = (
        ("donor", "observed", "harm_rate"),
        ("recipient", "expected from noise alone", "expected_harm_rate_no_effect"),
        ("third", "empirical Bayes", "eb_harm_rate"),
    )
    series = tuple(
        series_of_rates(frame, kind, name, column, labels) for kind, name, column in wanted if column in frame.columns
    )
    plot = dot_plot("Harm rate by regime", "%", labels, series, scale=100)
    note = "How much of the observed harm would appear if nothing had any effect at all."
    return _tabled("noise", "Harm and noise", note, plot, plain_table(frame, "Harm and noise"))


def _linguistic(tables: Tables) -> Section | None:
    frame = _table(tables, "linguistic")
    if frame is None:
        return None
    note = "Correlation of MT-CL transfer with the distance between the two languages."
    return _tabled("linguistic", "Linguistic distance", note, None, plain_table(frame, "Linguistic distance"))


def _tabled(id: str, title: str, note: str, plot: DotPlot | None, table: PlainTable) -> Section:
    return Section(id=id, title=title, kind="tabled", content={"note": note, "plot": plot, "table": table})


def _failures(head: ReportHead) -> Section | None:
    if not head.failures:
        return None
    rows = tuple(
        (
            one.source or "baseline",
            one.target or "every target",
            one.model,
            one.recipe or "every recipe",
            "–" if one.train_seed is None else str(one.train_seed),
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
    return _tabled("failures", "Failures", note, None, table)
