"""How long the analysis takes, and how much memory, on grids of the release's size.

    python benchmarks/analysis_speed.py table            17,424 rows, 1,000 refits of the crossed fits
    python benchmarks/analysis_speed.py rich             the same rows, 200 refits of the fit with interactions
    python benchmarks/analysis_speed.py items [--models 9]   44 x 44 cells x 3 seeds x 400 items per model

Grids are simulated with ``donorgrid.simulate``; making them is not timed. docs/results/statistics.md holds the figures.
Set OMP_NUM_THREADS=1: the matrices are small, and threads of the linear algebra only wait for one another.
"""

import argparse
import resource
import time
from collections.abc import Iterator

import polars as pl

from donorgrid.analyse import (
    AnalysisSettings,
    AnsweredRun,
    PairedAnswers,
    analyse,
    deltas,
    deltas_by_seed,
    pair_answers,
)
from donorgrid.analyse.reading.arms import judged
from donorgrid.analyse.reading.factors import CROSSED, FITS, factors_of
from donorgrid.analyse.tables.variance import variance_tables
from donorgrid.core.records import Run
from donorgrid.simulate import SimulationSettings, simulate_answers, simulate_tables
from donorgrid.statistics.mixed_models.design import make_design
from donorgrid.statistics.mixed_models.reml import fit

LANGUAGES = ("ar", "bn", "de", "en", "es", "fr", "hi", "id", "it", "pt", "zh")
RICH = "crossed+interactions"
SPREAD = {"model": 0.5, "source": 0.4, "target": 0.8, "model:target": 0.6, "cell": 0.5}


def release_sized(n_models: int, seed: int = 0) -> SimulationSettings:
    return SimulationSettings(
        n_models=n_models,
        tasks=("arc_challenge", "global_mmlu", "hellaswag", "truthfulqa"),
        languages=LANGUAGES,
        train_seeds=(17, 42, 101),
        n_items=400,
        spread_pp=SPREAD,
        seed=seed,
    )


def measure_table() -> None:
    made = simulate_tables(release_sized(9))
    start, busy = time.perf_counter(), time.process_time()
    tables = analyse(made.deltas, by_seed=made.by_seed, settings=AnalysisSettings())
    spent = f"{time.perf_counter() - start:.1f} s ({time.process_time() - busy:.1f} s of processor time)"
    print(f"analyse, {made.deltas.height} rows, 1000 refits: {spent}, {len(tables)} tables")
    transfer = made.deltas.filter(pl.col("regime") != "MT-ML")
    start = time.process_time()
    design = make_design(factors_of(transfer, FITS[CROSSED]).usable)
    middle = time.process_time()
    found = fit(design, transfer["delta_pp"].to_numpy())
    end = time.process_time()
    print(
        f"crossed fit: {1e3 * (end - middle):.1f} ms ({found.evaluations} evaluations); "
        f"its design: {1e3 * (middle - start):.1f} ms"
    )


def measure_rich() -> None:
    made = simulate_tables(release_sized(9))
    cells = judged(made.deltas.filter(pl.col("regime") != "MT-ML"), AnalysisSettings())
    for n_refits in (0, 200):
        start, busy = time.perf_counter(), time.process_time()
        table, _ = variance_tables(cells, AnalysisSettings(n_rich_bootstrap=n_refits), fits=(RICH,))
        done = table.filter(pl.col("scope") == "transfer")["n_refits"].max()
        spent = f"{time.perf_counter() - start:.1f} s ({time.process_time() - busy:.1f} s of processor time)"
        print(f"{RICH}, {table['scope'].n_unique()} scopes, {done} refits each: {spent}", flush=True)


def measure_items(n_models: int) -> None:
    answers, spent = [], 0.0
    for number in range(n_models):
        paired, seconds = paired_model(number)
        answers.append(paired)
        spent += seconds
    n_answers = sum(one.right.size for one in answers)
    print(f"pairing {n_answers:,} answers: {spent:.1f} s; at most {peak_gb():.2f} GB so far")
    start = time.perf_counter()
    pooled = pl.concat([deltas(one, metric="acc_norm") for one in answers])
    by_seed = pl.concat([deltas_by_seed(one, metric="acc_norm") for one in answers])
    middle, busy = time.perf_counter(), time.process_time()
    tables = analyse(pooled, by_seed=by_seed, answers=answers, settings=AnalysisSettings())
    spent = f"{time.perf_counter() - middle:.1f} s ({time.process_time() - busy:.1f} s of processor time)"
    print(f"deltas: {middle - start:.1f} s; analyse: {spent}, {len(tables)} tables")


def paired_model(number: int) -> tuple[PairedAnswers, float]:
    """One model's paired answers, and the seconds that pairing took (not the drawing)."""
    subjects = simulate_answers(release_sized(1, seed=number))
    _, base = next(subjects)
    drawing = 0.0

    def labelled() -> Iterator[tuple[AnsweredRun, pl.DataFrame]]:
        nonlocal drawing
        while True:
            start = time.perf_counter()
            made = next(subjects, None)
            drawing += time.perf_counter() - start
            if made is None:
                return
            run, frame = made
            if isinstance(run, Run):
                label = AnsweredRun(model=f"sim-{number}", recipe="lora", source=run.source, train_seed=run.train_seed)
                yield label, frame

    start = time.perf_counter()
    paired = pair_answers(base, labelled())
    return paired, time.perf_counter() - start - drawing


def peak_gb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=("table", "rich", "items"))
    parser.add_argument("--models", type=int, default=9)
    chosen = parser.parse_args()
    if chosen.what == "table":
        measure_table()
    elif chosen.what == "rich":
        measure_rich()
    else:
        measure_items(chosen.models)
    print(f"peak memory: {peak_gb():.2f} GB")


if __name__ == "__main__":
    main()
