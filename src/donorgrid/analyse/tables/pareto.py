"""On-task gain against off-task change, per (model, source), and which sources no other one beats on both."""

import numpy as np
import numpy.typing as npt
import polars as pl

from donorgrid.analyse.settings import AnalysisSettings
from donorgrid.analyse.tables.groups import means, summarise

SOURCE = ["model", "source_task", "source_language"]


def pareto_table(cells: pl.DataFrame, settings: AnalysisSettings) -> pl.DataFrame:
    """PARETO rows of one arm. A source without MT-CL targets, or without targets of other tasks, has no row."""
    on_task = means(cells.filter(pl.col("regime") == "MT-CL"), SOURCE)
    off_task = summarise(cells.filter(pl.col("regime").is_in(("CT-ML", "CT-CL"))), SOURCE, settings)
    points = (
        on_task.select(*SOURCE, on_task_pp="mean_pp", n_on_task="n")
        .join(
            off_task.select(*SOURCE, off_task_pp="mean_pp", off_task_harm_rate="harm_rate", n_off_task="n"), on=SOURCE
        )
        .sort(SOURCE)
    )
    front = np.zeros(points.height, dtype=bool)
    for model in points["model"].unique():
        own = (points["model"] == model).to_numpy()
        front[own] = on_front(points["on_task_pp"].to_numpy()[own], points["off_task_pp"].to_numpy()[own])
    return points.with_columns(pl.Series("front", front))


def on_front(x: npt.NDArray[np.float64], y: npt.NDArray[np.float64]) -> npt.NDArray[np.bool_]:
    """Which of the points (n,) no other point beats: none is at least as large on both axes and larger on one."""
    at_least = (x[:, None] <= x) & (y[:, None] <= y)
    larger = (x[:, None] < x) | (y[:, None] < y)
    return np.asarray(~(at_least & larger).any(axis=1))
