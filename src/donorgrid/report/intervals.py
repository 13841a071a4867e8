"""Intervals by clustered resampling, written next to the numbers that they belong to."""

from collections.abc import Iterable

import polars as pl

from donorgrid.report.formatting import ABSENT, is_absent, percent, signed_pp
from donorgrid.report.plain_tables import PlainTable

_STATISTICS = {"mean_pp": "mean delta (pp)", "positive_rate": "gained", "harm_rate": "harmed"}


def interval_of(intervals: pl.DataFrame, *, kind: str, name: str, statistic: str) -> str:
    """The interval of one statistic as text.

    Parameters
    ----------
    intervals
        The table ``INTERVALS``.
    kind, name
        Which row: ``regime`` and ``MT-CL``, for example.
    statistic
        ``mean_pp``, ``positive_rate`` or ``harm_rate``.

    Returns
    -------
    str
        ``+0.52 to +1.31``, or an empty string if the table has no such interval.
    """
    rows = intervals.filter((pl.col("kind") == kind) & (pl.col("name") == name) & (pl.col("statistic") == statistic))
    ends = rows.select("low", "high").rows()
    return _between(statistic, *ends[0]) if ends else ""


def resampled_units(intervals: pl.DataFrame) -> str:
    """What was resampled, in words: ``models, training runs and test items``."""
    names = {"models": "models", "seeds": "training runs", "items": "test items"}
    *first, last = [names.get(unit, unit) for unit in str(intervals["resampled"][0]).split(", ")]
    return f"{', '.join(first)} and {last}" if first else last


def regime_intervals(intervals: pl.DataFrame) -> PlainTable | None:
    """A row per regime: each statistic with its interval."""
    regimes = intervals.filter(pl.col("kind") == "regime")
    if regimes.is_empty():
        return None
    names = regimes["name"].unique(maintain_order=True)
    return PlainTable(
        caption=f"Intervals, by resampling {resampled_units(regimes)}",
        headings=("regime", *_STATISTICS.values()),
        numeric=(False, *(True for _ in _STATISTICS)),
        rows=tuple((name, *(_estimate(regimes, name, statistic) for statistic in _STATISTICS)) for name in names),
    )


def without_intervals(frame: pl.DataFrame) -> pl.DataFrame:
    """A table without its ``_low_pp`` and ``_high_pp``: a number that was resampled has one interval on the page."""
    ends = ("low_pp", "high_pp")
    return frame.select(name for name in frame.columns if not name.endswith(ends))


def role_intervals(intervals: pl.DataFrame) -> PlainTable | None:
    """A row per donor, recipient and source: the mean delta with its interval."""
    roles = intervals.filter((pl.col("kind") != "regime") & (pl.col("statistic") == "mean_pp"))
    if roles.is_empty():
        return None
    return PlainTable(
        caption=f"Donors, recipients and sources: intervals, by resampling {resampled_units(roles)}",
        headings=("role", "name", _STATISTICS["mean_pp"]),
        numeric=(False, False, True),
        rows=tuple(_role_rows(roles)),
    )


def _role_rows(roles: pl.DataFrame) -> Iterable[tuple[str, str, str]]:
    for kind, name, value, low, high in roles.select("kind", "name", "value", "low", "high").iter_rows():
        yield kind, name, _with_interval("mean_pp", value, low, high)


def _estimate(regimes: pl.DataFrame, name: str, statistic: str) -> str:
    row = regimes.filter((pl.col("name") == name) & (pl.col("statistic") == statistic)).select("value", "low", "high")
    return _with_interval(statistic, *row.row(0)) if row.height else ABSENT


def _with_interval(statistic: str, value: float, low: float, high: float) -> str:
    between = _between(statistic, low, high)
    return f"{_number(statistic, value)} ({between})" if between else _number(statistic, value)


def _between(statistic: str, low: float, high: float) -> str:
    absent = is_absent(low) or is_absent(high)
    return "" if absent else f"{_number(statistic, low)} to {_number(statistic, high)}"


def _number(statistic: str, value: float) -> str:
    return signed_pp(value) if statistic == "mean_pp" else percent(value)
