"""Before training: what the base models score on every target, next to chance."""

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from donorgrid.report.figures.dotplot import DotPlot, dot_plot
from donorgrid.report.figures.series import Series, series_of_rates
from donorgrid.report.formatting import ABSENT, is_absent, percent, plain_pp, shown, signed_pp
from donorgrid.report.plain_tables import PlainTable
from donorgrid.report.sections.section import Part, Section, Tables, filled

MOST_DRAWN = 48
"""With more baselines there is no figure, and one table for all models: the figures would fill the page."""
DEGENERATE = "†"


def baselines_section(tables: Tables) -> Section | None:
    """Every target before training: the base models' scores next to chance."""
    frame = filled(tables, "baselines")
    if frame is None:
        return None
    rows = frame.unique(["model", "task", "language"], keep="first", maintain_order=True).with_columns(
        target=pl.concat_str("task", "language", separator="/")
    )
    models = rows["model"].unique(maintain_order=True).to_list()
    note = (
        "The base models' scores before any training. A target at chance, one that nearly always gets the same "
        "option, or one whose right answers are nearly all the same measures format and not skill: it is degenerate "
        f"({DEGENERATE})."
    )
    few = rows.height <= MOST_DRAWN
    if few:
        note += (
            " All sources subtract the same baseline, so its sampling error (±) is part of every delta of a target; "
            "“corrected” is their mean corrected for it."
        )
    parts = _by_model(rows, models) if few else (_side_by_side(rows, models),)
    with_notes = tuple(Part(label=part.label, content={"note": note, **part.content}) for part in parts)
    return Section(id="baselines", title="Before training", kind="tabled", parts=with_notes)


def _by_model(rows: pl.DataFrame, models: Sequence[str]) -> tuple[Part, ...]:
    """A figure and a table for each model."""
    return tuple(
        Part(
            label=model if len(models) > 1 else "",
            content={"plot": _scores(of_model), "table": _model_table(of_model, model)},
        )
        for model in models
        for of_model in [rows.filter(pl.col("model") == model)]
    )


def _scores(rows: pl.DataFrame) -> DotPlot:
    labels = [name + (DEGENERATE if flag else "") for name, flag in rows.select("target", "degenerate").iter_rows()]
    scores, lows, highs = (
        tuple(None if is_absent(value) else value for value in rows[f"score_base{suffix}"])
        for suffix in ("", "_low", "_high")
    )
    tooltips = tuple(
        f"{label}: {percent(score)}, chance {percent(chance)}"
        for label, score, chance in zip(labels, scores, rows["chance"], strict=True)
    )
    series = Series(kind="donor", name="score", values=scores, lows=lows, highs=highs, tooltips=tooltips)
    chance = series_of_rates(rows, labels, kind="third", name="chance", column="chance")
    return dot_plot("Scores before training", "%", labels, (series, chance), scale=100)


def _model_table(rows: pl.DataFrame, model: str) -> PlainTable:
    """One model's targets with everything that the table says about them."""
    return PlainTable(
        caption=f"{model}, before training",
        headings=(
            "target",
            "items",
            "score (interval)",
            "chance",
            "mean delta over sources (pp)",
            "corrected (pp)",
            "degenerate",
        ),
        numeric=(False, True, True, True, True, True, False),
        rows=tuple(
            (
                row["target"],
                shown("n_items", row["n_items"]),
                _with_interval(row),
                percent(row["chance"]),
                _with_error(row),
                signed_pp(row["corrected_delta_pp"]),
                row["reason"] or "no",
            )
            for row in rows.iter_rows(named=True)
        ),
    )


def _with_interval(row: Mapping[str, Any]) -> str:
    low, high = row["score_base_low"], row["score_base_high"]
    score = percent(row["score_base"])
    return score if is_absent(low) or is_absent(high) else f"{score} ({percent(low)} to {percent(high)})"


def _with_error(row: Mapping[str, Any]) -> str:
    mean, error = row["mean_delta_pp"], row["shared_se_pp"]
    return signed_pp(mean) if is_absent(error) else f"{signed_pp(mean)} ± {plain_pp(error)}"


def _side_by_side(rows: pl.DataFrame, models: Sequence[str]) -> Part:
    """One table: a row per target, a column per model."""
    scores = {
        (row["target"], row["model"]): percent(row["score_base"]) + (DEGENERATE if row["degenerate"] else "")
        for row in rows.iter_rows(named=True)
    }
    chances = dict(rows.group_by("target", maintain_order=True).agg(pl.col("chance").first()).iter_rows())
    table = PlainTable(
        caption="Scores before training",
        headings=("target", "chance", *models),
        numeric=(False, True, *(True for _ in models)),
        rows=tuple(
            (target, percent(chance), *(scores.get((target, model), ABSENT) for model in models))
            for target, chance in chances.items()
        ),
    )
    return Part(label="", content={"plot": None, "table": table})
