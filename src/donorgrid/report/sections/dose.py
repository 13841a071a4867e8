"""Recipes, train sizes and checkpoints side by side: one row per arm, in the order of the dose."""

import polars as pl

from donorgrid.report.arms import ARM, arm_label
from donorgrid.report.figures.dotplot import dot_plot, series_with_se
from donorgrid.report.plain_tables import plain_table
from donorgrid.report.sections.section import Part, Section, Tables, filled
from donorgrid.report.standard_errors import error_beside, error_in_words

_TRANSFER = "transfer"


def dose_section(tables: Tables) -> Section | None:
    """The mean transfer of every arm, and its means by regime; left out where there is one arm."""
    frame = filled(tables, "regimes")
    columns = [name for name in ARM if frame is not None and name in frame.columns]
    if frame is None or not columns or frame.select(columns).n_unique() < 2:
        return None
    recipes = {name: place for place, name in enumerate(frame["recipe"].unique(maintain_order=True))}
    ordered = frame.with_columns(place=pl.col("recipe").replace_strict(recipes)).sort(
        "place", *columns[1:], nulls_last=True, maintain_order=True
    )
    parts = ordered.partition_by(columns, maintain_order=True)
    rows = pl.concat([_row(part) for part in parts], how="diagonal")
    transfer = pl.concat([part.filter(pl.col("regime") == _TRANSFER) for part in parts])
    labels = [arm_label(row) for row in transfer.partition_by(columns, maintain_order=True)]
    series = series_with_se(transfer, "donor", "mean transfer", ("mean_pp", error_beside(transfer, "mean")), labels)
    over = error_in_words(transfer, "mean")
    content = {
        "note": "Mean delta over all cells but the trained one" + (f", ± one standard error {over}." if over else "."),
        "plot": dot_plot("Mean transfer by arm", "pp", labels, (series,)),
        "table": plain_table(rows, "Recipes and doses side by side"),
    }
    return Section(id="dose", title="Recipes and doses", kind="tabled", parts=(Part(label="", content=content),))


def _row(part: pl.DataFrame) -> pl.DataFrame:
    """One arm: its means by regime, and the rates over all transfer cells."""
    means = {f"{row['regime']}_pp": row["mean_pp"] for row in part.iter_rows(named=True)}
    transfer = part.filter(pl.col("regime") == _TRANSFER)
    rates = {name: transfer[name].item() for name in ("positive_rate", "harm_rate")} if transfer.height else {}
    return pl.DataFrame([{"arm": arm_label(part), **means, **rates}])
