"""What one half of real item answers says of the other: are the intervals right on answers that nobody simulated?

    python benchmarks/calibration_items.py STUDY [--splits 40]

STUDY is a finished study folder with one recipe and two train seeds (``donorgrid demo`` makes one). Item IDs are split
into halves at random, the same halves in every language; with "other seeds" the halves also come from different train
seeds. Prints how often the difference of the halves lies within its 95% interval; docs/results/calibration.md holds it.
"""

import argparse
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl

from donorgrid.analyse import AnalysisSettings, AnsweredRun, PairedAnswers, deltas, deltas_by_seed, pair_answers
from donorgrid.analyse.errors.cell_errors import with_uncertainty
from donorgrid.analyse.errors.item_contributions import item_contributions
from donorgrid.analyse.errors.run_errors import run_variances
from donorgrid.analyse.errors.shared_noise import shared_noise
from donorgrid.analyse.errors.sign_flips import max_t_table
from donorgrid.analyse.reading.arms import arms, judged
from donorgrid.analyse.reading.cell_sets import language_donors, language_recipients, regime_sets, source_sets
from donorgrid.analyse.reading.paired_differences import differences_of
from donorgrid.analyse.tables.noise import cells_table
from donorgrid.core.names import StudyFolder
from donorgrid.core.records import Baseline
from donorgrid.pipeline.prepare.study_files import read_workplan
from donorgrid.store.answers import read_answers

SETTINGS = AnalysisSettings()
KEY = ["model", "source_name", "target_task", "target_language"]
Z = 1.959964
Half = tuple[PairedAnswers, np.ndarray]


def answers_of(folder: StudyFolder) -> Iterator[PairedAnswers]:
    plan = read_workplan(folder)
    for model in plan.study.models:
        runs = [run for run in plan.grid.runs if run.model == model.name and run.source.kind == "cell"]
        base = read_answers(folder.items(Baseline(model=model.name)), plan.grid.targets)
        labelled = (
            (
                AnsweredRun(model=run.model, recipe=run.recipe.name, source=run.source, train_seed=run.train_seed),
                read_answers(folder.items(run), plan.grid.targets),
            )
            for run in runs
        )
        yield pair_answers(base, labelled)


def restricted(answers: PairedAnswers, items: np.ndarray, seeds: set[int]) -> PairedAnswers:
    """Only some items (a mask) and the runs of some train seeds; the other items count as not answered."""
    rows = np.array([run.train_seed in seeds for run in answers.runs])
    runs = tuple(run for run, kept in zip(answers.runs, rows, strict=True) if kept)
    masked = {
        name: np.where(items, getattr(answers, name)[rows], np.int8(-1)).astype(np.int8)
        for name in ("right", "right_norm")
    }
    return replace(answers, runs=runs, extra=answers.extra[rows], **masked)


def half_of_ids(answers: PairedAnswers, rng: np.random.Generator) -> np.ndarray:
    """A mask of the items whose ID is in a random half of its task's IDs."""
    ids = answers.items.select("target_task", "item_id").unique(maintain_order=True)
    draw = ids.with_columns(draw=pl.Series(rng.random(ids.height)))
    first = draw.with_columns(first=pl.col("draw") <= pl.col("draw").median().over("target_task"))
    return answers.items.join(first, on=["target_task", "item_id"], how="left", maintain_order="left")[
        "first"
    ].to_numpy()


def measured_cells(answers: PairedAnswers, variances: pl.DataFrame) -> pl.DataFrame:
    """CELLS of one half, with the spread between runs that the whole grid shows."""
    ((arm, pooled),) = arms(deltas(answers, metric=SETTINGS.metric))
    rows = with_uncertainty(judged(pooled, SETTINGS), SETTINGS)
    n_seeds = len({run.train_seed for run in answers.runs})
    both = rows.join(variances, on=["model", "target_task"], how="left", maintain_order="left", suffix="_whole")
    wider = (pl.col("noise_se_pp") ** 2 + pl.col("run_variance_whole") / n_seeds).sqrt()
    own = differences_of([answers], arm, metric=SETTINGS.metric)
    wider_cells = both.with_columns(noise_se_pp=wider)
    found = cells_table(wider_cells, max_t_table([], SETTINGS), SETTINGS, shared=shared_noise(own))
    keyed = found.with_columns(source_name=pl.concat_str("source_task", "source_language", separator="/"))
    posterior_sd = (pl.col("eb_high_pp") - pl.col("eb_low_pp")) / (2 * Z)
    return keyed.filter(pl.col("regime") != "MT-ML").select(
        *KEY, "delta_pp", "noise_se_pp", "eb_mean_pp", eb_sd=posterior_sd
    )


def compare_cells(first: pl.DataFrame, second: pl.DataFrame) -> dict[str, float]:
    """Shares of cells: estimate against estimate, and posterior against the other half's estimate."""
    both = first.join(second, on=KEY, suffix="_other")
    noise = both["noise_se_pp_other"].to_numpy() ** 2
    gap = np.abs((both["delta_pp"] - both["delta_pp_other"]).to_numpy())
    shrunken = np.abs((both["eb_mean_pp"] - both["delta_pp_other"]).to_numpy())
    plain = gap <= Z * np.sqrt(both["noise_se_pp"].to_numpy() ** 2 + noise)
    posterior = shrunken <= Z * np.sqrt(both["eb_sd"].to_numpy() ** 2 + noise)
    return {"delta of a cell": float(plain.mean()), "empirical Bayes of a cell": float(posterior.mean())}


def compare_means(first: PairedAnswers, second: PairedAnswers) -> dict[str, float]:
    """Shares of means (regimes, roles, sources), by errors clustered on item ID. The runs are the same."""
    (arm, _), *_ = arms(deltas(first, metric=SETTINGS.metric))
    one, other = (differences_of([half], arm, metric=SETTINGS.metric)[0] for half in (first, second))
    scores = {}
    for name, sets in {
        "mean of a regime": regime_sets,
        "mean of a source": source_sets,
        "donor score of a language": language_donors,
        "recipient score of a language": language_recipients,
    }.items():
        a, b = item_contributions(one, sets(one)), item_contributions(other, sets(other))
        scores[name] = float(np.mean(np.abs(a.means_pp - b.means_pp) <= Z * np.hypot(a.se_pp, b.se_pp)))
    return scores


def scores_of(answers: PairedAnswers, n_splits: int) -> Iterator[dict[str, float]]:
    whole = deltas(answers, metric=SETTINGS.metric)
    variances = run_variances(whole, deltas_by_seed(answers, metric=SETTINGS.metric))
    none = variances.with_columns(run_variance=pl.lit(0.0))
    seeds = sorted({run.train_seed for run in answers.runs})
    for number in range(n_splits):
        half = half_of_ids(answers, np.random.default_rng(number))
        first, second = (restricted(answers, mask, set(seeds)) for mask in (half, ~half))
        score = compare_cells(measured_cells(first, none), measured_cells(second, none))
        score |= compare_means(first, second)
        if len(seeds) > 1:
            apart = restricted(answers, half, {seeds[0]}), restricted(answers, ~half, {seeds[1]})
            found = compare_cells(*(measured_cells(one, variances) for one in apart))
            score |= {f"{name}, other seeds": value for name, value in found.items()}
        yield score


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("study", type=Path)
    parser.add_argument("--splits", type=int, default=40)
    chosen = parser.parse_args()
    values: dict[str, list[float]] = defaultdict(list)
    for answers in answers_of(StudyFolder(chosen.study)):
        for score in scores_of(answers, chosen.splits):
            for name, value in score.items():
                values[name].append(value)
    print("| half against half | within the 95% interval | spread over splits |\n|---|---|---|")
    for name, of_splits in values.items():
        print(f"| {name} | {100 * np.mean(of_splits):.1f}% | {100 * np.std(of_splits, ddof=1):.1f} |")


if __name__ == "__main__":
    main()
