"""Sentences on the best source, the best donors and the recipients that lose most."""

import polars as pl

from donorgrid.report.arms import by_arm
from donorgrid.report.formatting import count, is_absent, signed_pp, with_se
from donorgrid.report.head import ReportHead
from donorgrid.report.standard_errors import error_column
from donorgrid.report.summary.transfer import of_arm

_MOST_NAMED = 3


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


def role_sentences(roles: pl.DataFrame | None, kind: str, head: ReportHead) -> list[str]:
    """The best donors, and the recipients that lose most.

    Parameters
    ----------
    roles
        The table of donor and recipient scores, or None.
    kind
        ``language`` or ``task``.
    head
        Gives the languages' names.

    Returns
    -------
    list of str
        Up to two sentences per arm.
    """
    arms = () if roles is None or roles.is_empty() else by_arm(roles)
    return [
        of_arm(label, sentence)
        for label, rows in arms
        for sentence in (*_donors(rows, kind, head), *_recipients(rows, kind, head))
    ]


def _donors(roles: pl.DataFrame, kind: str, head: ReportHead) -> list[str]:
    donors = roles.drop_nulls("donor_pp").sort(["donor_pp", kind], descending=[True, False])
    if donors.is_empty():
        return []
    best = donors.head(max(1, min(_MOST_NAMED, donors.height // 2)))
    return [f"Best donor {kind}{'s' * (best.height > 1)}: {_listed(best, kind, 'donor', head)}."]


def _recipients(roles: pl.DataFrame, kind: str, head: ReportHead) -> list[str]:
    recipients = roles.drop_nulls("recipient_pp").sort(["recipient_pp", kind])
    losing = recipients.filter(pl.col("recipient_pp") < 0).head(_MOST_NAMED)
    if not losing.is_empty():
        who = f"Recipient {kind} that loses" if losing.height == 1 else f"Recipient {kind}s that lose"
        return [f"{who} most: {_listed(losing, kind, 'recipient', head)}."]
    if recipients.is_empty():
        return []
    lowest = _listed(recipients.head(1), kind, "recipient", head)
    return [f"No {kind} loses on average as a recipient; the lowest mean is {lowest}."]


def _listed(roles: pl.DataFrame, kind: str, role: str, head: ReportHead) -> str:
    error = error_column(roles, role)
    entries = [
        f"{head.language(row[kind]) if kind == 'language' else row[kind]} {with_se(row[f'{role}_pp'], row.get(error))}"
        for row in roles.iter_rows(named=True)
    ]
    return ", ".join(entries) + " pp"
