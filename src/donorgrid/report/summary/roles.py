"""Sentences on the best source, the best donors and the recipients that lose most."""

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from donorgrid.report.arms import by_arm
from donorgrid.report.formatting import count, hundredths, is_absent, signed_pp, with_se
from donorgrid.report.head import ReportHead
from donorgrid.report.standard_errors import error_column
from donorgrid.report.summary.transfer import of_arm

_MOST_NAMED = 3


@dataclass(frozen=True, kw_only=True)
class _Entry:
    """One member of a role: its mean, and its standard error and interval where they are known."""

    name: str
    mean_pp: float
    error_pp: float | None
    interval_pp: tuple[float, float] | None


def best_source_sentences(choosing: pl.DataFrame | None) -> list[str]:
    """The best source of each model and arm, with what it gives on items that it was not chosen on."""
    arms = () if choosing is None or choosing.is_empty() else by_arm(choosing)
    return [
        of_arm(
            label,
            f"Best of {count(row['n_candidates'])} sources for {row['model']}: {row['best']}, "
            f"{signed_pp(row['apparent_pp'])} pp. Chosen on one half of the {row['split']} and measured on the other "
            f"half, the best source gives {signed_pp(row['honest_pp'])} pp.",
        )
        for label, rows in arms
        for row in rows.filter(pl.col("what") == "source").to_dicts()
        if not is_absent(row["honest_pp"])
    ]


def role_sentences(
    roles: pl.DataFrame | None, kind: str, head: ReportHead, intervals: pl.DataFrame | None = None
) -> list[str]:
    """The highest donor means, and the lowest recipient means: who gives, and who loses, is said by its interval.

    Parameters
    ----------
    roles
        The table of donor and recipient scores, or None.
    kind
        ``language`` or ``task``.
    head
        Gives the languages' names.
    intervals
        The table ``INTERVALS``, or None. Without it the intervals over models of ``roles`` are used.

    Returns
    -------
    list of str
        Up to two sentences per arm.
    """
    arms = () if roles is None or roles.is_empty() else by_arm(roles)
    resampled = {} if intervals is None or intervals.is_empty() else dict(by_arm(intervals))
    return [
        of_arm(label, sentence)
        for label, rows in arms
        for sentence in (
            *_donors(_entries(rows, kind, "donor", resampled.get(label)), kind, head),
            *_recipients(_entries(rows, kind, "recipient", resampled.get(label)), kind, head),
        )
    ]


def _entries(roles: pl.DataFrame, kind: str, role: str, intervals: pl.DataFrame | None) -> list[_Entry]:
    """The members of a role with a mean, lowest first."""
    error = error_column(roles, role)
    ends = {} if intervals is None else _ends(intervals, f"{kind} {role}")
    rows = roles.drop_nulls(f"{role}_pp").sort([f"{role}_pp", kind]).to_dicts()
    return [
        _Entry(
            name=row[kind],
            mean_pp=row[f"{role}_pp"],
            error_pp=row.get(error),
            interval_pp=ends.get(row[kind]) or _known(row.get(f"{role}_low_pp"), row.get(f"{role}_high_pp")),
        )
        for row in rows
    ]


def _ends(intervals: pl.DataFrame, kind: str) -> dict[str, tuple[float, float]]:
    of_kind = intervals.filter((pl.col("kind") == kind) & (pl.col("statistic") == "mean_pp"))
    ends = {name: _known(low, high) for name, low, high in of_kind.select("name", "low", "high").iter_rows()}
    return {name: interval for name, interval in ends.items() if interval is not None}


def _known(low: float | None, high: float | None) -> tuple[float, float] | None:
    return None if low is None or high is None or is_absent(low) or is_absent(high) else (low, high)


def _donors(entries: Sequence[_Entry], kind: str, head: ReportHead) -> list[str]:
    if not entries:
        return []
    best = entries[::-1][: max(1, min(_MOST_NAMED, len(entries) // 2))]
    if all(entry.interval_pp is not None for entry in entries):
        best = [entry for entry in best if entry.interval_pp is not None and hundredths(entry.interval_pp[0]) > 0]
        if not best:
            highest = _listed(entries[-1:], kind, head)
            return [f"No {kind} is shown to give on average as a donor; the highest mean is {highest}."]
    return [f"Best donor {kind}{'s' * (len(best) > 1)}: {_listed(best, kind, head)}."]


def _recipients(entries: Sequence[_Entry], kind: str, head: ReportHead) -> list[str]:
    if not entries:
        return []
    losing = [entry for entry in entries if entry.interval_pp is not None and hundredths(entry.interval_pp[1]) < 0]
    if losing:
        who = f"Recipient {kind} that loses" if len(losing) == 1 else f"Recipient {kind}s that lose"
        return [f"{who} most: {_listed(losing[:_MOST_NAMED], kind, head)}."]
    lowest = f"the lowest mean is {_listed(entries[:1], kind, head)}"
    if all(entry.interval_pp is not None for entry in entries):
        return [f"No {kind} is shown to lose on average as a recipient; {lowest}."]
    return [f"Of the recipient {kind}s, {lowest}."]


def _listed(entries: Sequence[_Entry], kind: str, head: ReportHead) -> str:
    """``German (de) −1.20 (−2.00 to −0.40)``: with the interval, or with the standard error where there is none."""
    return (
        ", ".join(
            f"{head.language(entry.name) if kind == 'language' else entry.name} {_value(entry)}" for entry in entries
        )
        + " pp"
    )


def _value(entry: _Entry) -> str:
    if entry.interval_pp is None:
        return with_se(entry.mean_pp, entry.error_pp)
    low, high = entry.interval_pp
    return f"{signed_pp(entry.mean_pp)} ({signed_pp(low)} to {signed_pp(high)})"
