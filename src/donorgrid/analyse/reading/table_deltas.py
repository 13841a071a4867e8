"""The delta of a metric, from the columns of a result table."""

import polars as pl

from donorgrid.core.errors import InputError
from donorgrid.core.records import METRICS, Metric
from donorgrid.core.tables import METRIC_COLUMNS, has_delta, typed


def metric_of(frame: pl.DataFrame) -> Metric:
    """Returns the metric that a result table is analysed by.

    Parameters
    ----------
    frame : DataFrame
        Rows with donorgrid's column names.

    Returns
    -------
    {"acc", "acc_norm"}
        The one in the column ``metric``; else "acc_norm", or "acc" if the table has no other.
    """
    metrics = [metric for metric in METRICS if has_delta(frame, metric)]
    named = frame["metric"].drop_nulls().unique().to_list() if "metric" in frame.columns else []
    for metric in METRICS:
        if named == [metric] and (metric in metrics or "delta_pp" in frame.columns):
            return metric
    return "acc" if metrics == ["acc"] else "acc_norm"


def with_delta(frame: pl.DataFrame, metric: Metric, notes: list[str]) -> pl.DataFrame:
    """Adds the delta of a metric.

    Parameters
    ----------
    frame : DataFrame
        Checked rows with donorgrid's column names.
    metric : {"acc", "acc_norm"}
        The metric.
    notes : list of str
        Receives a line for everything that is missing or left out.

    Returns
    -------
    DataFrame
        The rows that have a delta, with the columns ``delta_raw_pp``, ``delta_pp`` and ``metric``.

    Raises
    ------
    InputError
        If no row has a delta of the metric.
    """
    measured = frame.with_columns(delta_raw_pp=_raw_delta(frame, metric)).with_columns(
        delta_pp=pl.col("delta_raw_pp"), metric=pl.lit(metric)
    )
    kept = measured.filter(pl.col("delta_raw_pp").is_finite())
    if kept.height < measured.height:
        notes.append(
            f"{measured.height - kept.height} of {measured.height} rows have no finite delta: left out as holes"
        )
    if not kept.height:
        raise InputError(f"result table: no row has a finite delta of {metric}")
    if "se_pp" not in kept.columns:
        notes.append("the tables have no standard error from items (se_pp)")
    return kept if "se_seed_pp" in kept.columns else _with_seed_error(kept, METRIC_COLUMNS[metric].seed_se)


def _with_seed_error(frame: pl.DataFrame, seed_se: str) -> pl.DataFrame:
    """The frame with ``se_seed_pp`` where the released standard error or standard deviation over seeds is there."""
    seed_std = f"{seed_se.removesuffix('_se')}_std"
    errors = [typed(frame[name], pl.Float64) for name in (seed_se,) if name in frame.columns]
    if {seed_std, "n_seeds"} <= set(frame.columns):
        errors.append(typed(frame[seed_std], pl.Float64) / typed(frame["n_seeds"], pl.Float64).sqrt())
    return frame.with_columns(se_seed_pp=pl.coalesce(errors)) if errors else frame


def _raw_delta(frame: pl.DataFrame, metric: Metric) -> pl.Expr:
    """Returns the metric's delta; where a row has none, the difference of its scores."""
    score, base, delta, *_ = METRIC_COLUMNS[metric]
    given = [pl.col(delta).fill_nan(None)] if delta in frame.columns else []
    if {score, base} <= set(frame.columns):
        given.append(100.0 * (pl.col(score) - pl.col(base)))
    if given:
        return pl.coalesce(given)
    if "delta_pp" not in frame.columns:
        there = [name for name in METRICS if has_delta(frame, name)]
        raise InputError(
            f"result table: for {metric} it needs '{delta}', or '{score}' and '{base}'"
            + (f"; it has {there[0]}: say '--metric {there[0]}'" if there else "")
        )
    if "metric" in frame.columns and (frame["metric"] != metric).any():
        other = frame.filter(pl.col("metric") != metric)["metric"][0]
        raise InputError(f"result table: its 'delta_pp' is of the metric '{other}', not of {metric}")
    return pl.col("delta_pp")
