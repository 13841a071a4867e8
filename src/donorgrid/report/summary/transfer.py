"""Sentences on transfer as a whole: the mean and the harm rate, their intervals, and what noise alone would give."""

from collections.abc import Mapping, Sequence

import polars as pl

from donorgrid.report.arms import TRANSFER, by_arm
from donorgrid.report.formatting import count, is_absent, percent, signed_pp, with_se
from donorgrid.report.head import ReportHead
from donorgrid.report.intervals import interval_of, resampled_units

Outcome = Mapping[str, float]
"""The row ``transfer`` of the regimes' table."""


def outcomes(regimes: pl.DataFrame | None) -> list[tuple[str, Outcome]]:
    """(label, row) of the transfer row of every arm that has one."""
    return [(label, row) for label, row in _transfer_rows(regimes) if row["n"] and not is_absent(row["mean_pp"])]


def outcome_sentences(
    outcomes: Sequence[tuple[str, Outcome]],
    head: ReportHead,
    intervals: pl.DataFrame | None = None,
    *,
    sound: bool = False,
) -> list[str]:
    """Mean, median, share that gained and share harmed, a sentence per arm.

    Parameters
    ----------
    outcomes
        From ``outcomes``.
    head
        Gives the harm limit.
    intervals
        The table ``INTERVALS``: an arm that it holds has its interval in a sentence of its own, and no standard error.
    sound
        Whether degenerate targets are left out.

    Returns
    -------
    list of str
        A sentence per arm.
    """
    with_interval = dict(by_arm(intervals)) if intervals is not None and not intervals.is_empty() else {}
    return [
        of_arm(
            label,
            f"Over {count(int(outcome['n']))} transfer cells (every source–target pair except the trained cell "
            f"itself{', without degenerate targets' if sound else ''}), the mean delta is "
            f"{mean_in_words(outcome, with_interval.get(label))} pp and the median "
            f"{signed_pp(outcome['median_pp'])} pp; {percent(outcome['positive_rate'])} gained and "
            f"{percent(outcome['harm_rate'])} lost {limit_in_words(head)} or more.",
        )
        for label, outcome in outcomes
    ]


def interval_sentences(intervals: pl.DataFrame | None) -> list[str]:
    """The intervals of the mean delta and of the rates, a sentence per arm that has them."""
    arms = () if intervals is None or intervals.is_empty() else by_arm(intervals)
    sentences = []
    for label, rows in arms:
        mean, gained, harm = (
            interval_of(rows, kind="regime", name=TRANSFER, statistic=statistic)
            for statistic in ("mean_pp", "positive_rate", "harm_rate")
        )
        if mean and harm:
            sentence = (
                f"Resampling {resampled_units(rows)} gives an interval of {mean} pp for that mean"
                + (f", of {gained} for the share that gained" if gained else "")
                + f" and of {harm} for the share that lost."
            )
            sentences.append(of_arm(label, sentence))
    return sentences


def noise_sentences(noise: pl.DataFrame | None, head: ReportHead) -> list[str]:
    """What noise alone would give, next to the harm that was counted.

    Parameters
    ----------
    noise
        The table ``NOISE``, or None.
    head
        Gives the harm limit.

    Returns
    -------
    list of str
        A sentence per arm.
    """
    return [
        of_arm(
            label,
            f"If no training had any effect, {percent(row['expected_harm_rate_no_effect'])} of transfer cells would "
            f"still appear to lose {limit_in_words(head)} or more.{_verdict_shares(row)}",
        )
        for label, row in _transfer_rows(noise)
        if not is_absent(row["expected_harm_rate_no_effect"])
    ]


def with_degenerate_sentences(
    regimes: pl.DataFrame | None, head: ReportHead, intervals: pl.DataFrame | None = None
) -> list[str]:
    """The same numbers over all targets, where degenerate ones are left out above.

    Parameters
    ----------
    regimes
        The table ``REGIMES`` of all targets, or None where no target is left out.
    head
        Gives the harm limit.
    intervals
        The table ``INTERVALS`` of all targets, or None.

    Returns
    -------
    list of str
        A sentence per arm.
    """
    of_label = {} if intervals is None or intervals.is_empty() else dict(by_arm(intervals))
    return [
        of_arm(label, f"With the degenerate targets too, {outcome_in_words(outcome, head, of_label.get(label))}")
        for label, outcome in outcomes(regimes)
    ]


def outcome_in_words(outcome: Outcome, head: ReportHead, intervals: pl.DataFrame | None) -> str:
    """Mean, share that gained and share harmed, each with its interval, as the end of a sentence.

    Parameters
    ----------
    outcome
        The transfer row of an arm.
    head
        Gives the harm limit.
    intervals
        The table ``INTERVALS`` of the arm, or None.

    Returns
    -------
    str
    """
    mean, gained, lost = (interval_in_brackets(intervals, name) for name in ("mean_pp", "positive_rate", "harm_rate"))
    return (
        f"over {count(int(outcome['n']))} transfer cells, the mean delta is {mean_in_words(outcome, intervals)} "
        f"pp{mean}; {percent(outcome['positive_rate'])}{gained} gained and {percent(outcome['harm_rate'])}{lost} lost "
        f"{limit_in_words(head)} or more."
    )


def of_arm(label: str, sentence: str) -> str:
    """Puts the arm's label in front of a sentence.

    Parameters
    ----------
    label
        Empty if there is only one arm.
    sentence
        A sentence on this arm.

    Returns
    -------
    str
        ``sentence`` itself if there is only one arm.
    """
    return f"{label}: {sentence}" if label else sentence


def limit_in_words(head: ReportHead) -> str:
    """``1 pp``."""
    return f"{head.harm_limit_pp:g} pp"


def _verdict_shares(row: Outcome) -> str:
    """The shares of the verdicts, with a space before them; empty where the noise of cells is only assumed."""
    if is_absent(row["safe_rate"]):
        return ""
    return (
        f" Judged cell by cell at that limit, {percent(row['safe_rate'])} are safe, "
        f"{percent(row['verdict_harmed_rate'])} are harmed and {percent(row['undecided_rate'])} are undecided."
    )


def interval_in_brackets(intervals: pl.DataFrame | None, statistic: str) -> str:
    """The interval of a statistic of all transfer cells.

    Parameters
    ----------
    intervals
        The table ``INTERVALS`` of one arm, or None.
    statistic
        ``mean_pp``, ``positive_rate`` or ``harm_rate``.

    Returns
    -------
    str
        `` (12.5% to 30.0%)``, with a space before it; empty if the table lacks it.
    """
    if intervals is None or intervals.is_empty():
        return ""
    between = interval_of(intervals, kind="regime", name=TRANSFER, statistic=statistic)
    return f" ({between})" if between else ""


def mean_in_words(outcome: Outcome, intervals: pl.DataFrame | None = None) -> str:
    """The mean, with a standard error unless it has an interval.

    Parameters
    ----------
    outcome
        The transfer row of an arm.
    intervals
        The table ``INTERVALS`` of the arm, or None.

    Returns
    -------
    str
        The error is over models, or over the test items if there is only one model.
    """
    if interval_in_brackets(intervals, "mean_pp"):
        return signed_pp(outcome["mean_pp"])
    over_models = outcome["mean_se_pp"]
    error = outcome.get("mean_noise_se_pp") if is_absent(over_models) else over_models
    return with_se(outcome["mean_pp"], error)


def _transfer_rows(frame: pl.DataFrame | None) -> list[tuple[str, Outcome]]:
    arms = () if frame is None or frame.is_empty() else by_arm(frame)
    return [(label, row) for label, rows in arms for row in rows.filter(pl.col("regime") == TRANSFER).to_dicts()]
