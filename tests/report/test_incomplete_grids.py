"""The page of a grid of which a whole part is missing."""

import re

import polars as pl
import pytest

from donorgrid.analyse import AnalysisSettings, analyse
from donorgrid.report import ReportHead, render_report
from donorgrid.simulate import SimulationSettings, simulate_tables

GRID = SimulationSettings(
    n_models=2, tasks=("a", "b"), languages=("de", "en", "hi"), n_items=50, spread_pp={"target": 2.0}, holes=0.3
)
QUICK = AnalysisSettings(n_bootstrap=9, n_permutations=9, n_splits=3, n_language_permutations=9)
ABSENT = {
    "a language": (pl.col("source_language") == "hi") | (pl.col("target_language") == "hi"),
    "a model": pl.col("model") == "sim-1",
    "the trained cells": pl.col("regime") == "MT-ML",
    "MT-CL": pl.col("regime") == "MT-CL",
    "CT-ML": pl.col("regime") == "CT-ML",
    "all transfer": pl.col("regime") != "MT-ML",
    "all but one source": pl.col("source_name") != "a/de",
}


@pytest.mark.parametrize("absent", ABSENT)
def test_a_page_without_a_part_shows_the_rest(absent: str) -> None:
    simulated = simulate_tables(GRID)
    kept = simulated.deltas.filter(~ABSENT[absent])
    head = ReportHead(
        title="incomplete",
        models=GRID.models,
        tasks=GRID.tasks,
        languages=GRID.languages,
        recipes=("simulated",),
        train_seeds=GRID.train_seeds,
        metric="acc_norm",
        harm_limit_pp=1.0,
        n_cells_done=kept.height,
        n_cells_planned=72,
    )
    page = render_report(analyse(kept, by_seed=simulated.by_seed, settings=QUICK) | {"deltas": kept}, head)
    assert f"{72 - kept.height} planned cells missing" in page
    assert "Transfer by regime" in page
    assert not re.search(r"\bnan\b", page, flags=re.IGNORECASE)
