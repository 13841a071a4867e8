"""What the pocket base model knows before any fine-tuning: its accuracy in each of the 44 cells.

    python benchmarks/pocket_baselines.py [--model FOLDER]

Prints two Markdown tables (acc and acc_norm, in per cent), how many cells lie above chance by three binomial standard
errors and below 85%, and how the languages' means go with the share of facts that the pre-training text tells in each.
docs/results/pocket.md holds what it printed.
"""

import argparse
import math
from pathlib import Path

import polars as pl
from scipy.stats import spearmanr

from donorgrid import pocket
from donorgrid.models.folders import find_model
from donorgrid.models.loading import Base, load_base
from donorgrid.pocket.corpus import RICHNESS
from donorgrid.score.answers import item_answers
from donorgrid.score.encode import encode_items
from donorgrid.score.plain import score_options
from donorgrid.tasks import find_task, load_cell

CHANCE, CEILING = 0.25, 0.85


def answers_of_cell(base: Base, task: str, language: str) -> pl.DataFrame:
    items = load_cell(find_task(task, folder=Path()), language, sources={"pocket": pocket.documents}).test
    encoded = encode_items(items, base.tokenizer, chat_template=False).items
    return item_answers(encoded, score_options(base.network, encoded, max_length=512), norm=True)


def is_between(score: float, n_items: int) -> bool:
    return CHANCE + 3 * math.sqrt(CHANCE * (1 - CHANCE) / n_items) < score < CEILING


def print_table(answers: pl.DataFrame, metric: str, column: str) -> None:
    cells = answers.group_by("target_task", "target_language").agg(pl.col(column).mean().alias("score"), pl.len())
    score = {(task, language): (value, n) for task, language, value, n in cells.iter_rows()}
    print(f"\n| {metric} | {' | '.join(pocket.LANGUAGES)} |\n|---|{'---|' * len(pocket.LANGUAGES)}")
    for task in pocket.TASKS:
        row = " | ".join(f"{100 * score[task, language][0]:.0f}" for language in pocket.LANGUAGES)
        print(f"| {task} | {row} |")
    means = [
        sum(score[task, language][0] for task in pocket.TASKS) / len(pocket.TASKS) for language in pocket.LANGUAGES
    ]
    print(f"| mean | {' | '.join(f'{100 * mean:.0f}' for mean in means)} |")
    n_between = sum(is_between(value, n_items) for value, n_items in score.values())
    print(f"\n{metric}: {n_between} of {len(score)} cells between the limits")
    told = [RICHNESS[language].known_share for language in pocket.LANGUAGES]
    print(f"Spearman's correlation of the means with the share of facts told: {spearmanr(told, means).statistic:.2f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, default=pocket.model_folder(), help="folder of the base model")
    folder = find_model(str(parser.parse_args().model.resolve()), revision=None, folder=Path(), built_in={})
    base = load_base(folder, precision="fp32", device="cpu")
    answers = pl.concat(
        [answers_of_cell(base, task, language) for task in pocket.TASKS for language in pocket.LANGUAGES]
    )
    print_table(answers, "acc", "correct")
    print_table(answers, "acc_norm", "correct_norm")


if __name__ == "__main__":
    main()
