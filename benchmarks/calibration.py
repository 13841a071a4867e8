"""Do the intervals cover, and does noise alone stay silent? Thousands of simulated grids with known truth.

    python benchmarks/calibration.py [--grids 2000] [--jobs 2] [--scenario NAME ...]

Prints one Markdown table per scenario: how often the 95% interval of each quantity held the truth, averaged over the
grids, with the Monte Carlo error; for grids without effects, how often an analysis reported any harmed cell after
Benjamini-Hochberg and the expected harm share that it reported. docs/results/calibration.md holds what it printed.
"""

import argparse
from collections import defaultdict
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from functools import partial

import numpy as np
import polars as pl

from donorgrid.analyse import AnalysisSettings, AnsweredRun, deltas, deltas_by_seed, pair_answers
from donorgrid.analyse.errors.cell_errors import with_uncertainty
from donorgrid.analyse.errors.item_errors import with_regime_errors
from donorgrid.analyse.errors.shared_noise import shared_noise
from donorgrid.analyse.errors.sign_flips import max_t_table
from donorgrid.analyse.reading.arms import arms, judged
from donorgrid.analyse.reading.factors import CROSSED, FITS, factors_of
from donorgrid.analyse.reading.paired_differences import differences_of
from donorgrid.analyse.tables.noise import cells_table, noise_table
from donorgrid.analyse.tables.regimes import regimes_table
from donorgrid.analyse.tables.roles import roles_language
from donorgrid.analyse.tables.variance import mean_noise_variance
from donorgrid.core.records import Run
from donorgrid.simulate import SimulatedTables, SimulationSettings, simulate_answers, simulate_tables, true_deltas
from donorgrid.statistics.mixed_models.design import make_design
from donorgrid.statistics.mixed_models.reml import fit
from donorgrid.statistics.mixed_models.shares import share_intervals
from donorgrid.statistics.mixed_models.simulated import residual_degrees

SETTINGS = AnalysisSettings()
N_REFITS = 400
SPREAD = {"model": 1.0, "source": 0.8, "target": 1.2, "cell": 1.0}
OF_MODELS = ("model", "model:source", "model:target", "cell")
PLAIN = SimulationSettings(
    n_models=9, tasks=("a", "b", "c"), languages=("de", "en", "hi", "zh"), n_items=400, train_seeds=(1, 2, 3)
)
GAUSSIAN = replace(PLAIN, spread_pp=SPREAD, flip_rate=0.06)
SCENARIOS = {
    "Gaussian effects": GAUSSIAN,
    "heavy-tailed effects (t with 5 degrees of freedom), noise unequal between tasks": replace(
        GAUSSIAN, tail_degrees=5.0, flip_rates={"a": 0.02, "b": 0.06, "c": 0.15}
    ),
    "Gaussian effects, runs that differ (0.8 pp), 30% of the cells missing": replace(
        GAUSSIAN, run_sd_pp=0.8, holes=0.3
    ),
    "no effect: right to wrong as likely as wrong to right": PLAIN,
}
CELL = ["model", "source_task", "source_language", "target_task", "target_language"]
Score = dict[str, float]


ITEMS = SimulationSettings(
    n_models=1,
    tasks=("a", "b", "c"),
    languages=("de", "en", "hi", "zh"),
    n_items=400,
    train_seeds=(1, 2, 3),
    seed_correlation=0.5,
    cell_correlation=0.3,
    flip_rate=0.06,
)
ITEM_SCENARIOS = {
    "no effect, item answers: cells and seeds flip the same items (latent correlations .3 and .5)": ITEMS,
    "effects, item answers of one model": replace(ITEMS, spread_pp={"source": 0.8, "target": 1.2, "cell": 1.0}),
    "effects half as large, item answers of one model": replace(
        ITEMS, spread_pp={"source": 0.4, "target": 0.6, "cell": 0.5}
    ),
}
"""These are drawn item by item, and analysed with ``analyse`` itself."""
QUICK = AnalysisSettings(n_bootstrap=199, n_permutations=0, n_splits=0, n_language_permutations=0)


def measure_items(settings: SimulationSettings, seed: int) -> Score:
    """What the whole analysis says of one grid of item answers."""
    (base_subject, base), *runs = simulate_answers(replace(settings, seed=seed))
    labelled = (
        (AnsweredRun(model=base_subject.model, recipe="lora", source=run.source, train_seed=run.train_seed), frame)
        for run, frame in runs
        if isinstance(run, Run)
    )
    answers = pair_answers(base, labelled)
    pooled, by_seed = deltas(answers, metric="acc_norm"), deltas_by_seed(answers, metric="acc_norm")
    ((arm, rows),) = arms(pooled)
    own = differences_of([answers], arm, metric="acc_norm")
    cells = judged(rows, QUICK)
    measured = with_uncertainty(cells, QUICK, by_seed=by_seed)
    found = cells_table(measured, max_t_table(own, QUICK), QUICK, shared=shared_noise(own))
    if settings.spread_pp:
        return believed(found, replace(settings, seed=seed))
    regime = with_regime_errors(regimes_table(cells, QUICK), own).filter(pl.col("regime") == "transfer")
    mean, error = regime["mean_pp"][0], regime["mean_noise_se_pp"][0]
    return silence(found) | {
        "analyses with any harmed cell by sign flips (max-T)": float(found["max_t_p_value_decrease"].min() <= 0.05),
        "mean of transfer within 1.96 clustered errors of zero": float(abs(mean) <= 1.96 * error),
    }


def believed(cells: pl.DataFrame, settings: SimulationSettings) -> Score:
    """Empirical Bayes against the true deltas of one grid."""
    truth = cells.join(true_deltas(settings).select(*CELL, "true_pp"), on=CELL, how="left")
    transfer = truth.filter(pl.col("regime") != "MT-ML")
    return {
        "empirical Bayes, averaged over cells": inside(transfer, "true_pp", "eb_low_pp", "eb_high_pp"),
        "expected harm share, empirical Bayes": float(transfer["eb_harm_probability"].mean()),  # type: ignore[arg-type]
        "cells truly at or below -1 pp": float((transfer["true_pp"] <= -1.0).mean()),  # type: ignore[arg-type]
    }


def measure(settings: SimulationSettings, seed: int) -> Score:
    """Coverage (0-1, averaged over the grid's own members) of every interval on one grid."""
    own = replace(settings, seed=seed)
    made = simulate_tables(own)
    cells = cells_of(made)
    if not settings.spread_pp:
        return silence(cells)
    truth = cells.join(made.truth.select(*CELL, "true_pp"), on=CELL, how="left")
    transfer = truth.filter(pl.col("regime") != "MT-ML")
    scores = {
        "delta of a cell": inside(with_wide_bounds(transfer, made), "true_pp", "low_pp", "high_pp"),
        "empirical Bayes, averaged over cells": inside(transfer, "true_pp", "eb_low_pp", "eb_high_pp"),
    }
    return scores | roles(own, made) | shares(own, made, seed)


def cells_of(made: SimulatedTables) -> pl.DataFrame:
    rows = judged(made.deltas, SETTINGS)
    measured = with_uncertainty(rows, SETTINGS, by_seed=made.by_seed)
    return cells_table(measured, max_t_table([], SETTINGS), SETTINGS)


def with_wide_bounds(cells: pl.DataFrame, made: SimulatedTables) -> pl.DataFrame:
    """The cells with 95% intervals: the bounds of verdicts are one-sided 95% ones, 90% together."""
    wide = replace(SETTINGS, confidence=(1.0 + SETTINGS.confidence) / 2.0)
    bounds = with_uncertainty(judged(made.deltas, SETTINGS), wide, by_seed=made.by_seed)
    return cells.drop("low_pp", "high_pp").join(bounds.select(*CELL, "low_pp", "high_pp"), on=CELL, how="left")


def inside(rows: pl.DataFrame, truth: str, low: str, high: str) -> float:
    held = rows.select((pl.col(low) <= pl.col(truth)) & (pl.col(truth) <= pl.col(high))).to_series()
    return float(held.mean())  # type: ignore[arg-type]


def silence(cells: pl.DataFrame) -> Score:
    row = noise_table(cells, SETTINGS).filter(pl.col("regime") == "transfer").row(0, named=True)
    return {
        "analyses with any harmed cell after Benjamini-Hochberg": float(row["bh_harmed"] > 0),
        "analyses with any harmed cell after Benjamini-Yekutieli": float(row["by_harmed"] > 0),
        "harm rate, measured": row["harm_rate"],
        "harm rate expected from noise alone": row["expected_harm_rate_no_effect"],
        "expected harm share, empirical Bayes": row["eb_harm_rate"],
    }


def roles(settings: SimulationSettings, made: SimulatedTables) -> Score:
    """The truth of a role is over the population of models: its models' own effects are taken away."""
    fixed = {name: spread for name, spread in settings.spread_pp.items() if name not in OF_MODELS}
    kept = made.truth.select(*CELL)
    truth = true_deltas(replace(settings, spread_pp=fixed)).join(kept, on=CELL, how="semi")
    table = roles_language(judged(made.deltas, SETTINGS), SETTINGS)
    scores = {}
    for role, end in (("donor", "source_language"), ("recipient", "target_language")):
        part = truth.filter(pl.col("regime") == "MT-CL").group_by("model", end).agg(pl.col("true_pp").mean())
        mean = part.group_by(language=end).agg(pl.col("true_pp").mean())
        both = table.join(mean, on="language")
        scores[f"{role} score of a language, t over models"] = inside(
            both, "true_pp", f"{role}_low_pp", f"{role}_high_pp"
        )
    return scores


def shares(settings: SimulationSettings, made: SimulatedTables, seed: int) -> Score:
    rows = made.deltas.filter(pl.col("regime") != "MT-ML")
    design = make_design(factors_of(rows, FITS[CROSSED]).usable)
    y = rows["delta_pp"].to_numpy()
    found = fit(design, y)
    rng = np.random.default_rng([seed, 99])
    degrees = residual_degrees(design, found, y, noise_variance=mean_noise_variance(rows))
    interval = share_intervals(design, found, n_refits=N_REFITS, rng=rng, tail_degrees=degrees)
    true = true_shares(settings)
    return {
        f"variance share of {name}": float(interval.low[place] <= true[name] <= interval.high[place])
        for place, name in enumerate((*found.names, "residual"))
    }


def true_shares(settings: SimulationSettings) -> dict[str, float]:
    """The residual holds the cells' own effects and the noise of items and runs, averaged over tasks."""
    n_seeds = len(settings.train_seeds)
    items = np.mean([1e4 * settings.flip_rate_of(task) / settings.n_items / n_seeds for task in settings.tasks])
    variance = {name: settings.spread_pp[name] ** 2 for name in ("model", "source", "target")}
    variance["residual"] = settings.spread_pp["cell"] ** 2 + float(items) + settings.run_sd_pp**2 / n_seeds
    total = sum(variance.values())
    return {name: one / total for name, one in variance.items()}


def scores_of(settings: SimulationSettings, n_grids: int, n_jobs: int) -> Iterator[Score]:
    one = measure_items if settings in ITEM_SCENARIOS.values() else measure
    with ProcessPoolExecutor(n_jobs) as pool:
        yield from pool.map(partial(one, settings), range(n_grids), chunksize=20)


def print_scenario(name: str, settings: SimulationSettings, n_grids: int, n_jobs: int) -> None:
    values: dict[str, list[float]] = defaultdict(list)
    for score in scores_of(settings, n_grids, n_jobs):
        for quantity, value in score.items():
            values[quantity].append(value)
    print(f"\n### {name}\n\n{n_grids} grids.\n\n| quantity | share | Monte Carlo error |\n|---|---|---|")
    for quantity, of_grids in values.items():
        share, error = np.mean(of_grids), np.std(of_grids, ddof=1) / np.sqrt(len(of_grids))
        print(f"| {quantity} | {100 * share:.2f}% | {100 * error:.2f} |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--grids", type=int, default=2000)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument(
        "--scenario", nargs="*", default=list(SCENARIOS | ITEM_SCENARIOS), help="beginnings of scenarios' names"
    )
    chosen = parser.parse_args()
    for name, settings in (SCENARIOS | ITEM_SCENARIOS).items():
        if any(name.startswith(one) for one in chosen.scenario):
            print_scenario(name, settings, chosen.grids, chosen.jobs)


if __name__ == "__main__":
    main()
