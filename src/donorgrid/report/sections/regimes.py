"""Transfer by regime: means, harm rates and positive-transfer rates, with the tables that break them down."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

from donorgrid.report.arms import by_arm
from donorgrid.report.figures.dotplot import dot_plot
from donorgrid.report.figures.series import series_with_se
from donorgrid.report.formatting import is_absent, percent
from donorgrid.report.headline import UNSHARED, WITH_DEGENERATE
from donorgrid.report.intervals import regime_intervals, role_intervals, without_intervals
from donorgrid.report.plain_tables import plain_table
from donorgrid.report.sections.section import Part, Section, Tables, filled
from donorgrid.report.standard_errors import error_column, error_in_words


@dataclass(frozen=True, kw_only=True)
class RateBar:
    """Harm rate and positive-transfer rate of one regime, in percent of the bar; ``tooltip`` states both."""

    label: str
    harm: float
    positive: float
    tooltip: str


def regimes_section(tables: Tables) -> Section | None:
    """Means and rates by regime, then the same with degenerate targets, where the harm is, mixes and controls."""
    frame = filled(tables, "regimes")
    if frame is None:
        return None
    all_targets = f"regimes{WITH_DEGENERATE}"
    title = "Transfer by regime" + (", without degenerate targets" if all_targets in tables else "")
    captions = {
        all_targets: "Transfer by regime, with degenerate targets too",
        f"regimes{UNSHARED}": "Transfer by regime, without pairs that share texts",
        "harm_breakdown": "Where the harm is",
        "mixes_controls": "Mixes and controls, over all their targets",
    }
    intervals = filled(tables, "intervals")
    intervals_by_arm = {} if intervals is None else dict(by_arm(intervals))
    further = {name: dict(by_arm(rows)) for name in captions if (rows := filled(tables, name)) is not None}
    parts = tuple(
        Part(
            label=label,
            content={
                **_regimes(rows, title, with_intervals=label in intervals_by_arm),
                **_intervals(intervals_by_arm.get(label)),
                "further": tuple(
                    plain_table(further[name][label], caption)
                    for name, caption in captions.items()
                    if label in further.get(name, {})
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


def _regimes(frame: pl.DataFrame, title: str, *, with_intervals: bool) -> Mapping[str, Any]:
    labels = frame["regime"].to_list()
    means = series_with_se(
        frame, labels, kind="donor", name="mean delta", value="mean_pp", error=error_column(frame, "mean")
    )
    bars = tuple(
        RateBar(
            label=row["regime"],
            harm=100 * row["harm_rate"],
            positive=100 * row["positive_rate"],
            tooltip=f"{row['regime']}: {percent(row['harm_rate'])} harmed, {percent(row['positive_rate'])} gained",
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
        "table": plain_table(without_intervals(ordered) if with_intervals else ordered, title),
    }
