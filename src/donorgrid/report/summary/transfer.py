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


def outcome_sentences(outcomes: Sequence[tuple[str, Outcome]], head: ReportHead) -> list[str]:
    """Mean, median, share that gained and share harmed, a sentence per arm.

    Parameters
    ----------
    outcomes
        From ``outcomes``.
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
            f"Over {count(int(outcome['n']))} transfer cells (every source–target pair except the trained cell "
            f"itself), the mean delta is {mean_in_words(outcome)} pp and the median {signed_pp(outcome['median_pp'])} "
            f"pp; {percent(outcome['positive_rate'])} gained and {percent(outcome['harm_rate'])} lost "
            f"{limit_in_words(head)} or more.",
        )
        for label, outcome in outcomes
    ]


def interval_sentences(intervals: pl.DataFrame | None) -> list[str]:
    """The intervals of the mean delta and of the harm rate, a sentence per arm that has both."""
    arms = () if intervals is None or intervals.is_empty() else by_arm(intervals)
    sentences = []
    for label, rows in arms:
        mean, harm = (
            interval_of(rows, kind="regime", name=TRANSFER, statistic=statistic)
            for statistic in ("mean_pp", "harm_rate")
        )
        if mean and harm:
            sentence = (
                f"Resampling {resampled_units(rows)} gives an interval of {mean} pp for that mean and of {harm} for "
                "the share that lost."
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
            f"still appear to lose {limit_in_words(head)} or more. Judged cell by cell at that limit, "
            f"{percent(row['safe_rate'])} are safe, {percent(row['verdict_harmed_rate'])} are harmed and "
            f"{percent(row['undecided_rate'])} are undecided.",
        )
        for label, row in _transfer_rows(noise)
        if not is_absent(row["expected_harm_rate_no_effect"])
    ]


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


def mean_in_words(outcome: Outcome) -> str:
    """The mean with its standard error over models, or over the test items if there is only one model."""
    over_models = outcome["mean_se_pp"]
    error = outcome.get("mean_noise_se_pp") if is_absent(over_models) else over_models
    return with_se(outcome["mean_pp"], error)


def _transfer_rows(frame: pl.DataFrame | None) -> list[tuple[str, Outcome]]:
    arms = () if frame is None or frame.is_empty() else by_arm(frame)
    return [(label, row) for label, rows in arms for row in rows.filter(pl.col("regime") == TRANSFER).to_dicts()]
