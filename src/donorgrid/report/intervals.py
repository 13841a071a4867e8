"""Intervals by clustered resampling, in words beside the numbers that they belong to."""

from collections.abc import Iterable

import polars as pl

from donorgrid.report.formatting import ABSENT, is_absent, percent, signed_pp
from donorgrid.report.plain_tables import PlainTable

_STATISTICS = {"mean_pp": "mean delta (pp)", "positive_rate": "gained", "harm_rate": "harmed"}


def interval_of(intervals: pl.DataFrame, kind: str, name: str, statistic: str) -> str:
    """``+0.52 to +1.31``; an empty string where the table has no such interval."""
    rows = intervals.filter((pl.col("kind") == kind) & (pl.col("name") == name) & (pl.col("statistic") == statistic))
    ends = rows.select("low", "high").rows()
    return _between(statistic, *ends[0]) if ends else ""


def drawn_again(intervals: pl.DataFrame) -> str:
    """What was drawn again, in words: ``models, training runs and test items``."""
    names = {"models": "models", "seeds": "training runs", "items": "test items"}
    *first, last = [names.get(one, one) for one in str(intervals["resampled"][0]).split(", ")]
    return f"{', '.join(first)} and {last}" if first else last


def regime_intervals(intervals: pl.DataFrame) -> PlainTable | None:
    """A row per regime: each measure with its interval."""
    regimes = intervals.filter(pl.col("kind") == "regime")
    if regimes.is_empty():
        return None
    names = regimes["name"].unique(maintain_order=True)
    return PlainTable(
        caption=f"With intervals, by drawing {drawn_again(regimes)} again",
        headings=("regime", *_STATISTICS.values()),
        numeric=(False, *(True for _ in _STATISTICS)),
        rows=tuple((name, *(_told(regimes, name, statistic) for statistic in _STATISTICS)) for name in names),
    )


def role_intervals(intervals: pl.DataFrame) -> PlainTable | None:
    """A row per donor, recipient and source: the mean with its interval."""
    roles = intervals.filter((pl.col("kind") != "regime") & (pl.col("statistic") == "mean_pp"))
    if roles.is_empty():
        return None
    return PlainTable(
        caption=f"Donors, recipients and sources, by drawing {drawn_again(roles)} again",
        headings=("what", "name", _STATISTICS["mean_pp"]),
        numeric=(False, False, True),
        rows=tuple(_role_rows(roles)),
    )


def _role_rows(roles: pl.DataFrame) -> Iterable[tuple[str, str, str]]:
    for kind, name, value, low, high in roles.select("kind", "name", "value", "low", "high").iter_rows():
        yield kind, name, _with_ends("mean_pp", value, low, high)


def _told(regimes: pl.DataFrame, name: str, statistic: str) -> str:
    row = regimes.filter((pl.col("name") == name) & (pl.col("statistic") == statistic)).select("value", "low", "high")
    return _with_ends(statistic, *row.row(0)) if row.height else ABSENT


def _with_ends(statistic: str, value: float, low: float, high: float) -> str:
    between = _between(statistic, low, high)
    return f"{_number(statistic, value)} ({between})" if between else _number(statistic, value)


def _between(statistic: str, low: float, high: float) -> str:
    absent = is_absent(low) or is_absent(high)
    return "" if absent else f"{_number(statistic, low)} to {_number(statistic, high)}"


def _number(statistic: str, value: float) -> str:
    return signed_pp(value) if statistic == "mean_pp" else percent(value)
