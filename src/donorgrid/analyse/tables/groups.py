"""Summaries of groups of rows, and means over models: the two steps that most tables share.

Sums run in NumPy in the order of the rows, so that a table does not depend on the number of threads.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import polars as pl
from scipy.special import stdtrit

from donorgrid.analyse.settings import AnalysisSettings

Reals = npt.NDArray[np.float64]


def summarise(cells: pl.DataFrame, by: Sequence[str], settings: AnalysisSettings) -> pl.DataFrame:
    """Per group: n, mean_pp, median_pp, positive_rate, harm_rate, n_harmed, harm_limit_pp, n_degenerate.

    ``cells``: rows as ``judged`` gives them.
    """
    grouped = cells.group_by(by, maintain_order=True).agg(
        n=pl.len().cast(pl.Int64),
        values=pl.col("delta_pp"),
        n_positive=pl.col("positive").sum().cast(pl.Int64),
        n_harmed=pl.col("harmed").sum().cast(pl.Int64),
        n_degenerate=_n_degenerate(cells),
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


def _n_degenerate(cells: pl.DataFrame) -> pl.Expr:
    """How many rows of a group have a degenerate target; null where that was not looked for."""
    return pl.col("degenerate").sum().cast(pl.Int64) if "degenerate" in cells.columns else pl.lit(None, dtype=pl.Int64)


def means(cells: pl.DataFrame, by: Sequence[str], *, value: str = "delta_pp") -> pl.DataFrame:
    """Per group: mean_pp, n and n_degenerate."""
    grouped = cells.group_by(by, maintain_order=True).agg(
        n=pl.len().cast(pl.Int64), n_degenerate=_n_degenerate(cells), values=pl.col(value)
    )
    mean = [float(np.mean(group.to_numpy())) for group in grouped["values"]]
    return grouped.select(*by, "n", pl.Series("mean_pp", mean, dtype=pl.Float64), "n_degenerate")


def over_models(cells: pl.DataFrame, by: Sequence[str], *, confidence: float, value: str = "delta_pp") -> pl.DataFrame:
    """Per group: the mean within each model, then over models, with its standard error and interval over models.

    Columns mean_pp, se_pp, low_pp, high_pp, n, n_degenerate, n_models. se_pp = s / sqrt(M) with s the standard
    deviation (ddof 1) of the M models' means; the interval is mean +- t(M - 1) se. One model: se and interval are null.
    """
    per_model = means(cells, ["model", *by], value=value)
    counts = ["n", "n_degenerate"]
    added = [pl.when(pl.col(name).null_count() == 0).then(pl.col(name).sum()).alias(name) for name in counts]
    if by:
        grouped = per_model.group_by(by, maintain_order=True).agg(*added, values=pl.col("mean_pp"))
    else:
        grouped = per_model.select(*added, values=pl.col("mean_pp").implode())
    spread = [spread_of(group.to_numpy(), confidence) for group in grouped["values"]]
    schema = dict.fromkeys(("mean_pp", "se_pp", "low_pp", "high_pp"), pl.Float64)
    return pl.concat(
        [
            grouped.select(*by),
            pl.DataFrame(spread, schema=schema, orient="row"),
            grouped.select(*counts, n_models=pl.col("values").list.len().cast(pl.Int64)),
        ],
        how="horizontal",
    )


def spread_of(values: Reals, confidence: float) -> tuple[float, float | None, float | None, float | None]:
    """(mean, standard error, low, high) of a mean over independent units, by Student's t; None for a single unit."""
    mean = float(np.mean(values))
    if values.size < 2:
        return mean, None, None, None
    se = float(np.std(values, ddof=1) / np.sqrt(values.size))
    half = float(stdtrit(values.size - 1, (1 + confidence) / 2)) * se
    return mean, se, mean - half, mean + half
