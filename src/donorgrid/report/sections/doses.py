"""Recipes, train sizes, checkpoints and strengths side by side: a row per arm, in the order of the dose."""

import polars as pl

from donorgrid.report.arms import ARM, TRANSFER, arm_label
from donorgrid.report.figures.dotplot import dot_plot
from donorgrid.report.figures.series import series_with_se
from donorgrid.report.plain_tables import plain_table
from donorgrid.report.sections.section import Part, Section, Tables, filled
from donorgrid.report.standard_errors import error_column, error_in_words


def doses_section(tables: Tables) -> Section | None:
    """The mean transfer of every arm and its means by regime; None if there is only one arm."""
    frame = filled(tables, "regimes")
    columns = [name for name in ARM if frame is not None and name in frame.columns]
    if frame is None or not columns or frame.select(columns).n_unique() < 2:
        return None
    recipe_ranks = {name: rank for rank, name in enumerate(frame["recipe"].unique(maintain_order=True))}
    ordered = frame.with_columns(recipe_rank=pl.col("recipe").replace_strict(recipe_ranks)).sort(
        "recipe_rank", *columns[1:], nulls_last=True, maintain_order=True
    )
    arms = ordered.partition_by(columns, maintain_order=True)
    rows = pl.concat([_row(arm) for arm in arms], how="diagonal")
    transfer = pl.concat([arm.filter(pl.col("regime") == TRANSFER) for arm in arms])
    labels = [arm_label(arm) for arm in transfer.partition_by(columns, maintain_order=True)]
    series = series_with_se(
        transfer, labels, kind="donor", name="mean transfer", value="mean_pp", error=error_column(transfer, "mean")
    )
    over = error_in_words(transfer, "mean")
    content = {
        "note": "Mean delta over all cells except the trained one"
        + (f", ± one standard error {over}." if over else "."),
        "plot": dot_plot("Mean transfer by arm", "pp", labels, (series,)),
        "table": plain_table(rows, "Recipes and doses side by side"),
    }
    return Section(id="dose", title="Recipes and doses", kind="tabled", parts=(Part(label="", content=content),))


def _row(arm: pl.DataFrame) -> pl.DataFrame:
    """One arm: its means by regime, and the rates over all transfer cells."""
    means = {f"{row['regime']}_pp": row["mean_pp"] for row in arm.iter_rows(named=True)}
    transfer = arm.filter(pl.col("regime") == TRANSFER)
    rates = {name: transfer[name].item() for name in ("positive_rate", "harm_rate")} if transfer.height else {}
    return pl.DataFrame([{"arm": arm_label(arm), **means, **rates}])
