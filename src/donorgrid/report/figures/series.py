"""The series of a dot plot, read from a table: values, whiskers and tooltips."""

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from donorgrid.report.formatting import is_absent, percent, shown, with_se


@dataclass(frozen=True, kw_only=True)
class Series:
    """One measure over all rows.

    Attributes
    ----------
    kind
        ``donor``, ``recipient`` or ``third``: the colour and shape of its marks.
    name
        Its name in the legend.
    values, lows, highs
        (n_rows,) the values and the ends of their whiskers; None where absent.
    tooltips
        (n_rows,) the texts that a reader sees at a mark.
    """

    kind: str
    name: str
    values: tuple[float | None, ...]
    lows: tuple[float | None, ...]
    highs: tuple[float | None, ...]
    tooltips: tuple[str, ...]


def series_with_se(
    frame: pl.DataFrame, labels: Sequence[str], *, kind: str, name: str, value: str, error: str
) -> Series:
    """Means with whiskers of one standard error.

    Parameters
    ----------
    frame
        A row per label.
    labels
        The rows' labels, for the tooltips.
    kind, name
        As in ``Series``.
    value, error
        The columns of the mean and of its standard error, both in pp. Without the second there are no whiskers.

    Returns
    -------
    Series
        In pp.
    """
    values = _known(frame, value)
    errors = _known(frame, error)
    return Series(
        kind=kind,
        name=name,
        values=values,
        lows=tuple(_shifted(mean, se, -1) for mean, se in zip(values, errors, strict=True)),
        highs=tuple(_shifted(mean, se, +1) for mean, se in zip(values, errors, strict=True)),
        tooltips=tuple(
            f"{label}, {name}: {with_se(mean, se)} pp" for label, mean, se in zip(labels, values, errors, strict=True)
        ),
    )


def series_of_rates(frame: pl.DataFrame, labels: Sequence[str], *, kind: str, name: str, column: str) -> Series:
    """Rates (0-1), with whiskers to the ends of their intervals where the table has them.

    Parameters
    ----------
    frame
        A row per label.
    labels
        The rows' labels, for the tooltips.
    kind, name
        As in ``Series``.
    column
        The column of the rate; its interval is in ``<column>_low`` and ``<column>_high``.

    Returns
    -------
    Series
        Values of 0-1.
    """
    rates, lows, highs = (_known(frame, f"{column}{end}") for end in ("", "_low", "_high"))
    tooltips = tuple(
        f"{label}, {name}: {percent(rate)}" + ("" if low is None else f" ({percent(low)} to {percent(high)})")
        for label, rate, low, high in zip(labels, rates, lows, highs, strict=True)
    )
    return Series(kind=kind, name=name, values=rates, lows=lows, highs=highs, tooltips=tooltips)


def series_with_interval(
    frame: pl.DataFrame, labels: Sequence[str], *, name: str, value: str, low: str, high: str
) -> Series:
    """Values with whiskers to the ends that the table gives.

    Parameters
    ----------
    frame
        A row per label.
    labels
        The rows' labels, for the tooltips.
    name
        As in ``Series``.
    value, low, high
        The columns of the value and of its interval's ends; absent ends draw no whisker.

    Returns
    -------
    Series
        In the unit of the columns.
    """
    values = _known(frame, value)
    tooltips = tuple(f"{label}, {name}: {shown(value, known)}" for label, known in zip(labels, values, strict=True))
    return Series(
        kind="donor",
        name=name,
        values=values,
        lows=_known(frame, low),
        highs=_known(frame, high),
        tooltips=tooltips,
    )


def _known(frame: pl.DataFrame, column: str) -> tuple[float | None, ...]:
    """A column with None for each absent value; all None if the column is absent."""
    if column not in frame.columns:
        return (None,) * frame.height
    return tuple(None if is_absent(value) else value for value in frame[column])


def _shifted(value: float | None, amount: float | None, direction: int) -> float | None:
    return None if value is None or amount is None else value + direction * amount
