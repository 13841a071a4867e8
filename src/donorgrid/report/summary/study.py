"""Sentences on the study itself: what was measured, what is missing, and which targets measure no skill."""

import polars as pl

from donorgrid.core.records import UNTRAINED
from donorgrid.report.arms import ARM
from donorgrid.report.formatting import count
from donorgrid.report.head import ReportHead


def n_adapters(deltas: pl.DataFrame) -> int:
    """The number of adapters behind the deltas: per arm, model and source, the seeds of the cell with most seeds."""
    trained = deltas.filter(pl.col("recipe") != UNTRAINED)
    if trained.is_empty():
        return 0
    key = [name for name in ("model", "source_name", "data_seed", *ARM) if name in trained.columns]
    return int(trained.group_by(key).agg(pl.col("n_seeds").max())["n_seeds"].sum())


def measured(deltas: pl.DataFrame, head: ReportHead) -> str:
    """What was trained and on what it was scored.

    Parameters
    ----------
    deltas
        The table ``DELTAS``.
    head
        The study's models, recipes, seeds, tasks and languages.

    Returns
    -------
    str
        Two sentences; the second says what a delta is.
    """
    sources = deltas.filter(pl.col("recipe") != UNTRAINED)["source_name"].n_unique()
    targets = deltas.select("target_task", "target_language").n_unique()
    axes = ((head.models, "base model"), (head.recipes, "recipe"), (head.train_seeds, "train seed"))
    factors = ", ".join(_counted(len(members), noun) for members, noun in axes)
    return (
        f"{_counted(n_adapters(deltas), 'adapter')} from {_counted(sources, 'source')} ({factors}) answered the test "
        f"items of {_counted(targets, 'target cell')}: {_counted(len(head.tasks), 'task')} in "
        f"{_counted(len(head.languages), 'language')}. A delta compares an adapter with its untrained base model on "
        "the same items."
    )


def shown_without_training(deltas: pl.DataFrame) -> list[str]:
    """A sentence on the few-shot controls, if there are any."""
    names = deltas.filter(pl.col("recipe") == UNTRAINED)["source_name"].unique(maintain_order=True).to_list()
    if not names:
        return []
    return [f"Controls without training (solved items are put before every question): {', '.join(names)}."]


def missing(head: ReportHead) -> str:
    """How many planned cells are missing."""
    n_missing = head.n_cells_planned - head.n_cells_done
    if not n_missing:
        return "All planned cells were measured."
    listed = f"; {_counted(len(head.failures), 'failure')} listed below" if head.failures else ""
    return f"{_counted(n_missing, 'planned cell')} missing (hatched in the matrix, never counted as zero){listed}."


NONE_IS_SOUND = (
    "No target is sound: on every target the base model is at chance, has no right answer, or one answer is nearly "
    "always given or right. The numbers below say what changed from there; that a skill was kept or lost they cannot "
    "say."
)


def degenerate(table: pl.DataFrame | None, *, left_out: bool) -> str:
    """Which targets have a degenerate baseline.

    Parameters
    ----------
    table
        The table ``DEGENERATE``; None for targets that were not examined.
    left_out
        Whether the page leads with the tables that lack them.

    Returns
    -------
    str
        One or two sentences.
    """
    if table is None:
        return "Targets were not checked for degenerate baselines (at chance, or nearly always the same answer)."
    if table.is_empty():
        return "No target has a degenerate baseline (at chance, or nearly always the same answer)."
    cells = [
        f"{task}/{language}"
        for task, language in table.select("task", "language").unique().sort("task", "language").iter_rows()
    ]
    named = f"Degenerate targets, whose baseline measures format and not skill: {', '.join(cells)}."
    return f"{named} {_LEFT_OUT}" if left_out else named


_LEFT_OUT = (
    "They are left out above and in every section below but the transfer matrix, the scores before training, specific "
    "transfer, variance, ranks of donors and linguistic distance."
)


def _counted(number: int, noun: str) -> str:
    return f"{count(number)} {noun}{'' if number == 1 else 's'}"
