"""Summaries of groups of cells, and means over models: the two steps that most tables share."""

from collections.abc import Sequence

import numpy as np
import polars as pl

from donorgrid.analyse.reading.group_means import means, n_degenerate
from donorgrid.analyse.settings import AnalysisSettings
from donorgrid.statistics.errors.intervals import t_interval


def summarise(cells: pl.DataFrame, by: Sequence[str], settings: AnalysisSettings) -> pl.DataFrame:
    """Counts, mean, median and rates of each group of cells.

    Parameters
    ----------
    cells : DataFrame
        Judged rows.
    by : sequence of str
        Columns that make the groups.
    settings : AnalysisSettings
        ``harm_limit_pp``, which the rows were judged by.

    Returns
    -------
    DataFrame
        ``by``, n, mean_pp, median_pp, positive_rate, harm_rate, n_harmed, harm_limit_pp and n_degenerate.
    """
    grouped = cells.group_by(by, maintain_order=True).agg(
        n=pl.len().cast(pl.Int64),
        values=pl.col("delta_pp"),
        n_positive=pl.col("positive").sum().cast(pl.Int64),
        n_harmed=pl.col("harmed").sum().cast(pl.Int64),
        n_degenerate=n_degenerate(cells),
    )
    n = grouped["n"].to_numpy()
    values = [group.to_numpy() for group in grouped["values"]]
    return grouped.select(
        *by,
        "n",
        pl.Series("mean_pp", [float(np.mean(group)) for group in values], dtype=pl.Float64),
        pl.Series("median_pp", [float(np.median(group)) for group in values], dtype=pl.Float64),
        pl.Series("positive_rate", grouped["n_positive"].to_numpy() / n),
        pl.Series("harm_rate", grouped["n_harmed"].to_numpy() / n),
        "n_harmed",
        harm_limit_pp=pl.lit(float(settings.harm_limit_pp)),
        n_degenerate="n_degenerate",
    )


def over_models(cells: pl.DataFrame, by: Sequence[str], *, confidence: float, value: str = "delta_pp") -> pl.DataFrame:
    """The mean of each group within each model, then over models, with its error and interval over models.

    Parameters
    ----------
    cells : DataFrame
        Rows with ``model``, ``by`` and ``value``.
    by : sequence of str
        Columns that make the groups; none makes one group.
    confidence : float
        Coverage of the intervals, by Student's t over the models' means.
    value : str
        Column to average, in percentage points.

    Returns
    -------
    DataFrame
        ``by``, mean_pp, se_pp, low_pp, high_pp, n, n_degenerate and n_models. One model: error and interval are null.
    """
    per_model = means(cells, ["model", *by], value=value)
    counts = ["n", "n_degenerate"]
    added = [pl.when(pl.col(name).null_count() == 0).then(pl.col(name).sum()).alias(name) for name in counts]
    if by:
        grouped = per_model.group_by(by, maintain_order=True).agg(*added, values=pl.col("mean_pp"))
    else:
        grouped = per_model.select(*added, values=pl.col("mean_pp").implode())
    intervals = [t_interval(group.to_numpy(), confidence) for group in grouped["values"]]
    schema = dict.fromkeys(("mean_pp", "se_pp", "low_pp", "high_pp"), pl.Float64)
    return pl.concat(
        [
            grouped.select(*by),
            pl.DataFrame(intervals, schema=schema, orient="row"),
            grouped.select(*counts, n_models=pl.col("values").list.len().cast(pl.Int64)),
        ],
        how="horizontal",
    )
