"""The summary's numbers and sentences, in reading order. Every number is read from a table."""

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from donorgrid.report.formatting import count, percent
from donorgrid.report.head import ReportHead
from donorgrid.report.headline import WITH_DEGENERATE, no_target_is_sound
from donorgrid.report.summary import roles, shared_texts, study, transfer

_ONE_MODEL = (
    "With one base model there is no standard error over models: ± is one standard error over the test items and says "
    "nothing about other models."
)


@dataclass(frozen=True, kw_only=True)
class Tile:
    """A large number (``value``), what it is (``name``), and its colour (``tone``: gain, loss or none)."""

    value: str
    name: str
    tone: str = ""


@dataclass(frozen=True, kw_only=True)
class Summary:
    """Tiles, then sentences."""

    tiles: tuple[Tile, ...]
    sentences: tuple[str, ...]


def summary(tables: Mapping[str, pl.DataFrame], head: ReportHead) -> Summary:
    """The first screen of the report.

    Parameters
    ----------
    tables
        As ``headline_tables`` returns them: ``deltas``, and any of ``regimes``, ``intervals``, ``noise``, ``choosing``,
        ``roles_language``, ``roles_task`` and ``degenerate``.
    head
        The study behind the tables.

    Returns
    -------
    Summary
        With several arms there are sentences for each arm, and no tiles on transfer.
    """
    deltas = tables["deltas"]
    outcomes = transfer.outcomes(tables.get("regimes"))
    intervals, left_out = tables.get("intervals"), f"regimes{WITH_DEGENERATE}" in tables
    tiles = (
        *(_transfer_tiles(outcomes[0][1], intervals, head) if len(outcomes) == 1 else ()),
        Tile(value=count(study.n_adapters(deltas)), name="adapters trained and scored"),
        Tile(value=count(head.n_cells_done), name=f"of {count(head.n_cells_planned)} planned cells measured"),
    )
    sentences = (
        *([study.NONE_IS_SOUND] if no_target_is_sound(tables) else []),
        study.measured(deltas, head),
        *study.shown_without_training(deltas),
        *transfer.outcome_sentences(outcomes, head, intervals, sound=left_out),
        *transfer.interval_sentences(intervals),
        *transfer.with_degenerate_sentences(
            tables.get(f"regimes{WITH_DEGENERATE}"), head, tables.get(f"intervals{WITH_DEGENERATE}")
        ),
        *shared_texts.without_shared_sentences(tables, head),
        *transfer.noise_sentences(tables.get("noise"), head),
        *roles.best_source_sentences(tables.get("choosing")),
        *roles.role_sentences(tables.get("roles_language"), "language", head, intervals),
        *roles.role_sentences(tables.get("roles_task"), "task", head, intervals),
        *([_ONE_MODEL] if len(head.models) == 1 else []),
        study.missing(head),
        study.degenerate(tables.get("degenerate"), left_out=left_out),
    )
    return Summary(tiles=tiles, sentences=sentences)


def _transfer_tiles(outcome: transfer.Outcome, intervals: pl.DataFrame | None, head: ReportHead) -> tuple[Tile, ...]:
    limit = transfer.limit_in_words(head)

    def tile(statistic: str, value: str, name: str, tone: str = "") -> Tile:
        between = transfer.interval_in_brackets(intervals, statistic)
        return Tile(value=value, name=f"{name}{between}", tone=tone)

    return (
        tile("mean_pp", f"{transfer.mean_in_words(outcome, intervals)} pp", "mean delta over transfer cells"),
        tile("positive_rate", percent(outcome["positive_rate"]), "of transfer cells gained", "gain"),
        tile("harm_rate", percent(outcome["harm_rate"]), f"of transfer cells lost {limit} or more", "loss"),
    )
