"""Sentences on sources that train on test items, and the headline without such cells."""

from collections.abc import Mapping

import polars as pl

from donorgrid.report.arms import by_arm
from donorgrid.report.formatting import count
from donorgrid.report.head import ReportHead
from donorgrid.report.headline import UNSHARED
from donorgrid.report.summary.transfer import Outcome, of_arm, outcome_in_words, outcomes


def without_shared_sentences(tables: Mapping[str, pl.DataFrame], head: ReportHead) -> list[str]:
    """Which sources train on test items, and the same numbers without such cells.

    Parameters
    ----------
    tables
        ``shared_texts``, ``regimes``, and ``regimes`` and ``intervals`` with ``UNSHARED``.
    head
        Gives the harm limit.

    Returns
    -------
    list of str
        Empty where no training text is known to occur among test items; else a sentence, and one per arm.
    """
    shared = tables.get("shared_texts")
    if shared is None or shared.is_empty():
        return []
    pairs = shared.unique(["source_task", "source_language", "target_task", "target_language"], maintain_order=True)
    sources = [
        f"{task}/{language}"
        for task, language in pairs.select("source_task", "source_language").unique(maintain_order=True).iter_rows()
    ]
    intervals = tables.get(f"intervals{UNSHARED}")
    intervals_of = {} if intervals is None or intervals.is_empty() else dict(by_arm(intervals))
    kept = outcomes(tables.get(f"regimes{UNSHARED}"))
    n_headline = {label: int(outcome["n"]) for label, outcome in outcomes(tables.get("regimes"))}
    which = "that source" if len(sources) == 1 else "those sources"
    return [
        f"Training texts of {', '.join(sources)} occur among the test items of some targets: gains of {which} there "
        f"({count(pairs.height)} pair{'' if pairs.height == 1 else 's'} of source and target) may be memory.",
        *(
            of_arm(label, _without(outcome, n_headline.get(label), head, intervals_of.get(label)))
            for label, outcome in kept
        ),
        *([] if kept else ["No transfer cell is without them."]),
    ]


def _without(outcome: Outcome, n_headline: int | None, head: ReportHead, intervals: pl.DataFrame | None) -> str:
    if int(outcome["n"]) == n_headline:
        return f"None of those pairs is among the {count(n_headline)} transfer cells of the headline."
    return f"Without those pairs, {outcome_in_words(outcome, head, intervals)}"
