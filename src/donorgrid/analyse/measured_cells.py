"""The cells of every arm with their noise, for what decides on them: no summary, no bootstrap."""

from collections.abc import Sequence

import polars as pl

from donorgrid.analyse.errors.cell_errors import with_uncertainty
from donorgrid.analyse.reading.answers import PairedAnswers
from donorgrid.analyse.reading.arms import arms, judged
from donorgrid.analyse.reading.paired_differences import differences_of
from donorgrid.analyse.settings import AnalysisSettings
from donorgrid.analyse.tables.degenerate import baselines_table, with_flag
from donorgrid.core.tables import DELTAS
from donorgrid.core.tables.declaring import ARM


def measured_cells(
    deltas: pl.DataFrame,
    *,
    settings: AnalysisSettings,
    by_seed: pl.DataFrame | None = None,
    answers: Sequence[PairedAnswers] = (),
) -> pl.DataFrame:
    """Every cell of every arm, mixes and controls too, with the variance of its delta.

    Parameters
    ----------
    deltas : DataFrame
        DELTAS; cells may be missing.
    settings : AnalysisSettings
        What a user can choose.
    by_seed : DataFrame, optional
        DELTAS_BY_SEED: sharpens the variance between training runs.
    answers : sequence of PairedAnswers
        One per model: sharpens the variance from items.

    Returns
    -------
    DataFrame
        DELTAS rows with the columns of their arm, ``noise_se_pp`` (items and runs), ``shared_se_pp`` (the part that all
        sources of a target share; null if unknown) and ``degenerate``.
    """
    frames = []
    for arm, part in arms(DELTAS.check(deltas)):
        rows = judged(part, settings, by_seed=by_seed)
        differences = differences_of(answers, arm, metric=settings.metric)
        baselines = baselines_table(
            rows.filter(pl.col("source_kind") == "cell"), settings, answers=answers, differences=differences
        )
        cells = with_uncertainty(with_flag(rows, baselines), settings, by_seed=by_seed)
        labels = [pl.lit(value, dtype=kind).alias(name) for (name, kind), value in zip(ARM.items(), arm, strict=True)]
        frames.append(cells.with_columns(labels))
    return pl.concat(frames, how="diagonal")
