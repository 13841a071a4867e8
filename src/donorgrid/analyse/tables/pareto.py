"""On-task gain against off-task change, per (model, source), and which sources no other source beats on both."""

from collections.abc import Sequence

import numpy as np
import polars as pl

from donorgrid.analyse.errors.drawn_rates import with_rate_intervals
from donorgrid.analyse.errors.resampling import Resampled
from donorgrid.analyse.reading.group_means import means
from donorgrid.analyse.settings import AnalysisSettings
from donorgrid.analyse.tables.groups import summarise
from donorgrid.analyse.tables.making import TableMaker
from donorgrid.core.tables import PARETO
from donorgrid.statistics.front import on_front

_SOURCE = ["model", "source_task", "source_language"]


def pareto_table(
    cells: pl.DataFrame, settings: AnalysisSettings, *, resampled: Sequence[Resampled] = ()
) -> pl.DataFrame:
    """PARETO rows of one arm.

    Parameters
    ----------
    cells : DataFrame
        Judged rows of plain cells.
    settings : AnalysisSettings
        ``harm_limit_pp``.
    resampled : sequence of Resampled
        One per model that has item answers: the harm rate gets an interval.

    Returns
    -------
    DataFrame
        No row for a source without MT-CL targets, or without targets of other tasks.
    """
    on_task = means(cells.filter(pl.col("regime") == "MT-CL"), _SOURCE).select(
        *_SOURCE, on_task_pp="mean_pp", n_on_task="n"
    )
    others = cells.filter(pl.col("regime").is_in(("CT-ML", "CT-CL")))
    off_task = summarise(others, _SOURCE, settings).select(
        *_SOURCE, off_task_pp="mean_pp", off_task_harm_rate="harm_rate", n_off_task="n"
    )
    points = with_rate_intervals(
        on_task.join(off_task, on=_SOURCE).sort(_SOURCE), _SOURCE, cells=others, resampled=resampled, settings=settings
    )
    x, y = points["on_task_pp"].to_numpy(), points["off_task_pp"].to_numpy()
    front = np.zeros(points.height, dtype=bool)
    for model in points["model"].unique():
        rows = (points["model"] == model).to_numpy()
        front[rows] = on_front(x[rows], y[rows])
    return points.with_columns(pl.Series("front", front))


TABLES = (
    TableMaker(
        {"pareto": PARETO}, lambda arm: (pareto_table(arm.cells, arm.settings, resampled=arm.resampled),), headline=True
    ),
)
