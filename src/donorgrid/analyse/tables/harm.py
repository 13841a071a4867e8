"""Harm rates broken down by target, by model and by how the benchmark was made."""

from collections.abc import Sequence

import polars as pl

from donorgrid.analyse.errors.drawn_rates import with_rate_intervals
from donorgrid.analyse.errors.resampling import Resampled
from donorgrid.analyse.settings import AnalysisSettings
from donorgrid.analyse.tables.groups import summarise
from donorgrid.analyse.tables.making import TableMaker
from donorgrid.analyse.tables.regimes import with_transfer
from donorgrid.core.tables import HARM_BREAKDOWN

BREAKDOWNS = ("target_language", "target_task", "size_class", "family", "translation")


def harm_breakdown(
    cells: pl.DataFrame, settings: AnalysisSettings, *, resampled: Sequence[Resampled] = ()
) -> pl.DataFrame:
    """HARM_BREAKDOWN rows of one arm: every regime (and ``transfer``) by each of ``BREAKDOWNS``.

    Parameters
    ----------
    cells : DataFrame
        Judged rows of plain cells. Rows whose size, family or translation is not known take no part in that breakdown.
    settings : AnalysisSettings
        ``translations`` and ``harm_limit_pp``.
    resampled : sequence of Resampled
        One per model that has item answers: rates get intervals.

    Returns
    -------
    DataFrame
    """
    translation = pl.col("target_task").replace_strict(
        dict(settings.translations), default=None, return_dtype=pl.String
    )
    rows = with_transfer(cells).with_columns(translation=translation)
    return pl.concat([_broken_down(rows, by, settings, resampled) for by in BREAKDOWNS if by in rows.columns])


def _broken_down(
    rows: pl.DataFrame, by: str, settings: AnalysisSettings, resampled: Sequence[Resampled]
) -> pl.DataFrame:
    known = rows.filter(pl.col(by).is_not_null())
    key = ["regime", by]
    summary = summarise(known, key, settings)
    return (
        with_rate_intervals(summary, key, cells=known, resampled=resampled, settings=settings)
        .select("regime", pl.exclude("regime", by), by=pl.lit(by), value=pl.col(by).cast(pl.String))
        .sort("regime", "value")
    )


TABLES = (
    TableMaker(
        {"harm_breakdown": HARM_BREAKDOWN},
        lambda arm: (harm_breakdown(arm.cells, arm.settings, resampled=arm.resampled),),
        headline=True,
    ),
)
