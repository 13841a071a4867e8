"""Item answers without some cells: estimates stay within their 99% intervals, and whole parts may be absent."""

from collections import Counter
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import polars as pl
import pytest

from donorgrid.analyse import AnalysisSettings, AnsweredRun, analyse, deltas, deltas_by_seed, pair_answers
from donorgrid.analyse.errors.cell_errors import with_uncertainty
from donorgrid.analyse.errors.shared_noise import shared_noise
from donorgrid.analyse.errors.sign_flips import max_t_table
from donorgrid.analyse.reading.arms import arms, judged
from donorgrid.analyse.reading.paired_differences import differences_of
from donorgrid.analyse.tables.consistency import consistency_table
from donorgrid.analyse.tables.intervals import intervals_table
from donorgrid.analyse.tables.noise import cells_table
from donorgrid.analyse.tables.specific import specific_cells, specific_tables
from donorgrid.core.records import Run
from donorgrid.core.regimes import regime
from donorgrid.simulate import SimulationSettings, simulate_answers

GRID = SimulationSettings(
    n_models=3,
    tasks=("a", "b", "c"),
    languages=("de", "en", "hi", "zh"),
    n_items=80,
    train_seeds=(1, 2),
    spread_pp={"model": 1.0, "source": 0.8, "target": 1.2, "cell": 1.0},
)
WIDE = AnalysisSettings(confidence=0.99, n_bootstrap=199, n_permutations=0)
QUICK = AnalysisSettings(n_bootstrap=9, n_permutations=9, n_splits=5, n_language_permutations=9)
N_GRIDS = 4
CELL = ["model", "source_task", "source_language", "target_task", "target_language"]


class TransferCell(NamedTuple):
    """A cell of the transfer matrix; source and target are (task, language)."""

    model: str
    source: tuple[str, str]
    target: tuple[str, str]

    @property
    def regime(self):
        return regime(*self.source, *self.target)


def answers_of(settings):
    """One ``PairedAnswers`` per model."""
    subjects = {}
    for subject, frame in simulate_answers(settings):
        subjects.setdefault(subject.model, []).append((subject, frame))
    return [
        pair_answers(base, [(label(run), frame) for run, frame in runs if isinstance(run, Run)])
        for (_, base), *runs in subjects.values()
    ]


def label(run):
    return AnsweredRun(model=run.model, recipe="lora", source=run.source, train_seed=run.train_seed)


def without(answers, dropped):
    """The answers without the cells for which the function ``dropped`` is true."""
    targets = list(answers.targets.select("target_task", "target_language").iter_rows())
    lengths = np.diff(np.append(answers.targets["start"].to_numpy(), answers.items.height))
    sources = [(run.source.cells[0].task, run.source.cells[0].language) for run in answers.runs]
    dropped_cells = np.array(
        [[dropped(TransferCell(answers.model, source, target)) for target in targets] for source in sources]
    )
    empty = np.repeat(dropped_cells, lengths, axis=1)
    kept = {name: np.where(empty, np.int8(-1), getattr(answers, name)) for name in ("right", "right_norm")}
    return replace(answers, **kept)


def tables(answers):
    pooled = pl.concat([deltas(of_model, metric="acc_norm") for of_model in answers])
    by_seed = pl.concat([deltas_by_seed(of_model, metric="acc_norm") for of_model in answers])
    return analyse(pooled, by_seed=by_seed, answers=answers, settings=QUICK)


def at_random(seed):
    """Drops 30% of the cells, the same ones for all runs of a source."""
    rng = np.random.default_rng(seed)
    drawn = {}
    return lambda cell: drawn.setdefault(cell, rng.random() < 0.3)


def count_outside(part, whole, key, columns):
    """How many values of the whole grid there are, and how many lie outside the intervals of the part."""
    value, low, high = columns
    both = part.join(whole.select(*key, truth=value), on=key, nulls_equal=True).drop_nulls([low, high, "truth"])
    outside = (pl.col("truth") < pl.col(low) - 1e-9) | (pl.col("truth") > pl.col(high) + 1e-9)
    return Counter(of=both.height, outside=both.filter(outside).height)


def judged_by_items(answers):
    """The tables of one grid that rest on item answers."""
    pooled = pl.concat([deltas(of_model, metric="acc_norm") for of_model in answers])
    by_seed = pl.concat([deltas_by_seed(of_model, metric="acc_norm") for of_model in answers])
    ((arm, rows),) = arms(pooled)
    differences = differences_of(answers, arm, metric="acc_norm")
    cells = judged(rows, WIDE)
    uncertain = with_uncertainty(cells, WIDE, by_seed=by_seed)
    regimes, roles = specific_tables(specific_cells(cells, cells.clear(), WIDE), differences, WIDE)
    return {
        "intervals": intervals_table(cells, differences, WIDE, by_seed=by_seed),
        "cells": cells_table(uncertain, max_t_table([], WIDE), WIDE, shared=shared_noise(differences)),
        "consistency": consistency_table(cells, WIDE),
        "specific_regimes": regimes,
        "specific_roles": roles,
    }


def test_estimates_from_items_stay_within_their_intervals():
    kinds = {
        "intervals": (["kind", "name", "statistic"], ("value", "low", "high")),
        "cells": (CELL, ("eb_mean_pp", "eb_low_pp", "eb_high_pp")),
        "consistency": (["level", "regime"], ("median", "median_low", "median_high")),
        "specific_regimes": (["control", "regime"], ("mean_pp", "mean_low_pp", "mean_high_pp")),
        "specific_roles": (["control", "kind", "name"], ("donor_pp", "donor_low_pp", "donor_high_pp")),
    }
    counts = {name: Counter() for name in kinds}
    for seed in range(N_GRIDS):
        whole = answers_of(replace(GRID, seed=seed))
        all_tables = judged_by_items(whole)
        fewer = judged_by_items([without(of_model, at_random(seed)) for of_model in whole])
        for name, (key, columns) in kinds.items():
            counts[name] += count_outside(fewer[name], all_tables[name], key, columns)
    for name, counted in counts.items():
        # At 99% a median has an interval from eight sources on; only one regime of a grid has as many.
        assert counted["of"] >= (N_GRIDS if name == "consistency" else 2 * N_GRIDS), name
        assert counted["outside"] <= max(1, 0.01 * counted["of"]), (name, counted)


ABSENT = {
    "a language": lambda cell: "hi" in (cell.source[1], cell.target[1]),
    "a language as source": lambda cell: cell.source[1] == "hi",
    "a language of one model": lambda cell: cell.model == "sim-1" and cell.target[1] == "hi",
    "a model": lambda cell: cell.model == "sim-1",
    "all but one model": lambda cell: cell.model != "sim-1",
    "MT-ML": lambda cell: cell.regime == "MT-ML",
    "MT-CL": lambda cell: cell.regime == "MT-CL",
    "CT-ML": lambda cell: cell.regime == "CT-ML",
    "CT-CL": lambda cell: cell.regime == "CT-CL",
    "all transfer": lambda cell: cell.regime != "MT-ML",
    "all but one source": lambda cell: cell.source != ("a", "de"),
    "all but one target": lambda cell: cell.target != ("a", "de"),
}


@pytest.fixture(scope="module")
def small():
    return answers_of(replace(GRID, n_models=2, n_items=30, tasks=("a", "b"), languages=("de", "en", "hi")))


@pytest.mark.parametrize("absent", ABSENT)
def test_nothing_breaks_when_a_part_is_absent(small, absent):
    analysed = tables([without(of_model, ABSENT[absent]) for of_model in small])
    pooled = pl.concat([deltas(of_model, metric="acc_norm") for of_model in small])
    names = ("model", "source_task", "source_language", "target_task", "target_language")
    cells = [TransferCell(row[0], (row[1], row[2]), (row[3], row[4])) for row in pooled.select(names).iter_rows()]
    kept = [cell for cell in cells if not ABSENT[absent](cell)]
    assert analysed["cells"].height == len(kept) > 0
    assert analysed["coverage"].row(0, named=True)["n_found"] == len(kept)
    assert set(analysed["regimes"]["regime"]) - {"transfer"} == {cell.regime for cell in kept}
