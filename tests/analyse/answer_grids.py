"""Grids of random item answers for the tests of the analysis."""

import numpy as np
import polars as pl

from donorgrid.analyse import AnsweredRun
from donorgrid.core.records import Cell, Source

TASKS = ("alpha", "beta")
LANGUAGES = ("de", "en", "it")
N_ITEMS = 40


def item_frame(right: np.ndarray, *, tasks=TASKS, languages=LANGUAGES, norm=None) -> pl.DataFrame:
    """Item answers whose acc (and acc_norm, unless given) is ``right``; shape (tasks x languages x items)."""
    n_items = len(right) // (len(tasks) * len(languages))
    key = [(task, language, f"i{i:03d}") for task in tasks for language in languages for i in range(n_items)]
    norm = right if norm is None else norm
    chosen = pl.Series(np.where(right, 2, 0), dtype=pl.Int32)
    return pl.DataFrame(key, schema=["target_task", "target_language", "item_id"], orient="row").with_columns(
        answer=pl.lit(2, dtype=pl.Int32),
        chosen=chosen,
        correct=pl.Series(right, dtype=pl.Boolean),
        chosen_norm=chosen,
        correct_norm=pl.Series(norm, dtype=pl.Boolean),
    )


def run_of(task: str, language: str, *, train_seed: int = 17, model: str = "m0", **more) -> AnsweredRun:
    source = Source.of_cell(Cell(task=task, language=language))
    return AnsweredRun(model=model, recipe="lora", source=source, train_seed=train_seed, **more)


def random_grid(seed: int, *, model: str = "m0", seeds=(17, 42), flips: float = 0.1, n_items: int = N_ITEMS):
    """(baseline frame, [(run, frame)]) of a full grid whose adapters flip answers at random."""
    rng = np.random.default_rng(seed)
    size = len(TASKS) * len(LANGUAGES) * n_items
    base = rng.random(size) < 0.5
    runs = [
        (run_of(task, language, train_seed=train_seed, model=model), item_frame(base ^ (rng.random(size) < flips)))
        for task in TASKS
        for language in LANGUAGES
        for train_seed in seeds
    ]
    return item_frame(base), runs
