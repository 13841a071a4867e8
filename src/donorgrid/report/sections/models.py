"""The sections on the base models: what they score before any training, and whether they rank donors alike."""

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from donorgrid.report.figures.dotplot import DotPlot, Series, dot_plot, series_of_rates
from donorgrid.report.formatting import ABSENT, is_absent, percent, plain_pp, shown, signed_pp
from donorgrid.report.plain_tables import PlainTable, plain_table
from donorgrid.report.sections.section import Part, Section, Tables, filled, parts_of

MOST_DRAWN = 48
"""With more baselines than these there is no figure of them, and one table for all models: they would fill the page."""
DEGENERATE = "†"


def baselines_section(tables: Tables) -> Section | None:
    """Every target before training: the base models' scores beside chance."""
    frame = filled(tables, "baselines")
    if frame is None:
        return None
    rows = frame.unique(["model", "task", "language"], keep="first", maintain_order=True).with_columns(
        target=pl.concat_str("task", "language", separator="/")
    )
    models = rows["model"].unique(maintain_order=True).to_list()
    note = (
        "What the base models score before any training. A target at chance, or one that is nearly always answered "
        f"alike, measures format and not skill: it is degenerate ({DEGENERATE})."
    )
    few = rows.height <= MOST_DRAWN
    if few:
        note += (
            " All sources subtract the same baseline: its luck (±) is in every delta of a target; corrected is what is "
            "left of their mean without it."
        )
    parts = _one_by_one(rows, models) if few else (_side_by_side(rows, models),)
    noted = tuple(Part(label=part.label, content={"note": note, **part.content}) for part in parts)
    return Section(id="baselines", title="Before training", kind="tabled", parts=noted)


def _one_by_one(rows: pl.DataFrame, models: Sequence[str]) -> tuple[Part, ...]:
    """A figure and a table for each model."""
    return tuple(
        Part(
            label=model if len(models) > 1 else "",
            content={"plot": _scores(own), "table": _own_table(own, model)},
        )
        for model in models
        for own in [rows.filter(pl.col("model") == model)]
    )


def _scores(rows: pl.DataFrame) -> DotPlot:
    labels = [name + (DEGENERATE if flag else "") for name, flag in rows.select("target", "degenerate").iter_rows()]
    ends = [
        tuple(None if is_absent(end) else end for end in rows[f"score_base{name}"]) for name in ("", "_low", "_high")
    ]
    told = tuple(
        f"{label}: {percent(score)}, chance {percent(chance)}"
        for label, score, chance in zip(labels, ends[0], rows["chance"], strict=True)
    )
    scores = Series(kind="donor", name="score", values=ends[0], lows=ends[1], highs=ends[2], told=told)
    chance = series_of_rates(rows, "third", "chance", "chance", labels)
    return dot_plot("Scores before training", "%", labels, (scores, chance), scale=100)


def _own_table(rows: pl.DataFrame, model: str) -> PlainTable:
    """One model's targets with all that is said of them."""
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


def agreement_section(tables: Tables) -> Section | None:
    """Whether models rank donors alike, beside how far a model agrees with itself."""
    frame = filled(tables, "agreement")
    if frame is None:
        return None
    note = (
        "Do models, and tasks translated by people or by machines, rank donors alike? Mean Kendall τ-b over pairs; 1 "
        "is agreement. The ceiling is how far one model agrees with itself on the other half of the items: noise keeps "
        "two models from agreeing any better."
    )

    def draw(rows: pl.DataFrame) -> Mapping[str, Any]:
        return {"note": note, "plot": _agreement(rows), "table": plain_table(rows, "Agreement of donor ranks")}

    return Section(id="agreement", title="Ranks of donors", kind="tabled", parts=parts_of(frame, draw))


def _agreement(rows: pl.DataFrame) -> DotPlot:
    labels = [f"{what}s, between {between}" for what, between in rows.select("what", "between").iter_rows()]
    series = tuple(
        _taus(rows, kind, name, column, labels)
        for kind, name, column in (("donor", "τ-b", "kendall"), ("third", "ceiling", "ceiling_kendall"))
    )
    return dot_plot("Agreement of donor ranks", "τ-b", labels, series)


def _taus(rows: pl.DataFrame, kind: str, name: str, column: str, labels: Sequence[str]) -> Series:
    values = tuple(None if is_absent(one) else one for one in rows[column])
    told = tuple(f"{label}, {name}: {shown(column, one)}" for label, one in zip(labels, values, strict=True))
    nothing = (None,) * len(values)
    return Series(kind=kind, name=name, values=values, lows=nothing, highs=nothing, told=told)
