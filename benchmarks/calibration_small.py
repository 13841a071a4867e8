"""Do the intervals of rates and means cover in grids of twelve cells? Simulated item answers with known truth.

    OMP_NUM_THREADS=1 python benchmarks/calibration_small.py [--grids 400] [--draws 400]

Every grid has two sources and six targets (two tasks in three languages), one train seed, and item IDs that the cells
of a task share (latent correlation .3). The truth is the same in all grids of a scenario, so the value that an interval
is about (the rate that such a grid measures with other items) is the mean over the grids. Prints how often the 95%
interval held it, and how often the reversed and the percentile interval of the same draws would have done.
docs/results/calibration.md holds what it printed.
"""

import argparse
from collections import defaultdict
from dataclasses import replace

import numpy as np
import polars as pl

from donorgrid.analyse import AnalysisSettings, AnsweredRun, PairedAnswers, deltas, pair_answers
from donorgrid.analyse.errors.resampling import Resampled, resampled_deltas
from donorgrid.analyse.reading.arms import Arm, judged
from donorgrid.analyse.reading.cell_sets import cell_regimes
from donorgrid.analyse.reading.paired_differences import ArmDifferences, differences_of
from donorgrid.analyse.tables.intervals import intervals_table
from donorgrid.core.records import Run
from donorgrid.simulate import SimulationSettings, simulate_answers
from donorgrid.statistics.harm import harmed, positive

SOURCES = ("a/de", "b/en")
EFFECTS = {"a/en": -6.0, "a/it": 6.0, "b/de": -2.0, "b/it": 3.0}
GRID = SimulationSettings(
    n_models=1,
    tasks=("a", "b"),
    languages=("de", "en", "it"),
    n_items=50,
    train_seeds=(1,),
    seed_correlation=0.5,
    cell_correlation=0.3,
)
SCENARIOS = {
    "50 items, 6% flips, no effect": GRID,
    "50 items, 2% flips, no effect": replace(GRID, flip_rate=0.02),
    "50 items, 15% flips, effects of -6 to +6 pp": replace(GRID, flip_rate=0.15, harmed_pp=EFFECTS),
    "400 items, 6% flips, effects of -6 to +6 pp": replace(GRID, n_items=400, harmed_pp=EFFECTS),
}
ARM = Arm("lora", None)
Ends = dict[str, tuple[float, float]]


def answers_of(settings: SimulationSettings) -> PairedAnswers:
    (_, base), *runs = simulate_answers(settings)
    labelled = [
        (AnsweredRun(model=run.model, recipe="lora", source=run.source, train_seed=run.train_seed), frame)
        for run, frame in runs
        if isinstance(run, Run) and run.source.name in SOURCES
    ]
    return pair_answers(base, labelled)


def measured(settings: SimulationSettings, n_draws: int) -> tuple[dict[str, float], dict[str, Ends]]:
    """Statistic -> its value on one grid, and -> kind of interval -> its ends, over all transfer cells."""
    chosen = AnalysisSettings(n_bootstrap=n_draws, seed=settings.seed)
    answers = answers_of(settings)
    cells = judged(deltas(answers, metric="acc_norm"), chosen)
    (paired,) = differences_of([answers], ARM, metric="acc_norm")
    table = intervals_table(cells, [paired], chosen).filter(pl.col("kind") == "regime", pl.col("name") == "transfer")
    values = dict(table.select("statistic", "value").iter_rows())
    ends = {name: {"ours": (low, high)} for name, low, high in table.select("statistic", "low", "high").iter_rows()}
    for name, draws in drawn_rates(paired, chosen).items():
        low, high = np.quantile(draws, [0.025, 0.975])
        ends[name] |= {"reversed": (2 * values[name] - high, 2 * values[name] - low), "percentile": (low, high)}
    return values, ends


def drawn_rates(paired: ArmDifferences, settings: AnalysisSettings) -> dict[str, np.ndarray]:
    (resampled,) = resampled_deltas([paired], [np.zeros((1, *paired.n_answered.shape))], settings)
    drawn = transfer_cells(resampled)
    return {
        "mean_pp": drawn.mean(axis=0, dtype=np.float64),
        "positive_rate": positive(drawn).mean(axis=0),
        "harm_rate": harmed(drawn, settings.harm_limit_pp).mean(axis=0),
    }


def transfer_cells(resampled: Resampled) -> np.ndarray:
    return resampled.delta_pp[cell_regimes(resampled.paired) != "MT-ML"]


def print_scenario(name: str, settings: SimulationSettings, n_grids: int, n_draws: int) -> None:
    values: dict[str, list[float]] = defaultdict(list)
    ends: dict[tuple[str, str], list[tuple[float, float]]] = defaultdict(list)
    for seed in range(n_grids):
        of_grid, intervals = measured(replace(settings, seed=seed), n_draws)
        for statistic, value in of_grid.items():
            values[statistic].append(value)
            for kind, interval in intervals[statistic].items():
                ends[statistic, kind].append(interval)
    for statistic, of_grids in values.items():
        truth = np.mean(of_grids)
        kinds = ("ours", "reversed", "percentile")
        cells = " | ".join(f"{100 * share_that_hold(ends[statistic, kind], truth):.1f}" for kind in kinds)
        low, high = np.mean(ends[statistic, "ours"], axis=0)
        scale, unit = (1, "pp") if statistic == "mean_pp" else (100, "%")
        numbers = f"{scale * truth:.1f} {unit} | {scale * (high - low):.1f}"
        print(
            f"| {name} | {statistic} | {numbers} | {cells} |",
            flush=True,
        )


def share_that_hold(intervals: list[tuple[float, float]], truth: float) -> float:
    return float(np.mean([low - 1e-9 <= truth <= high + 1e-9 for low, high in intervals]))


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--grids", type=int, default=400)
    options.add_argument("--draws", type=int, default=400)
    given = options.parse_args()
    print("| grid | statistic | truth | mean width | ours | reversed | percentile |")
    print("|---|---|---|---|---|---|---|")
    for name, settings in SCENARIOS.items():
        print_scenario(name, settings, given.grids, given.draws)


if __name__ == "__main__":
    main()
