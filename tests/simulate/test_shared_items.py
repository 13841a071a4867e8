"""Simulated flips go together where items are the same: in the languages of a task, not between tasks."""

import numpy as np
import polars as pl

from donorgrid.core.records import Baseline
from donorgrid.simulate import SimulationSettings, simulate_answers


def test_an_item_that_flips_in_one_language_tends_to_flip_in_another() -> None:
    settings = SimulationSettings(
        n_models=1,
        tasks=("alpha", "beta"),
        languages=("de", "it"),
        train_seeds=(1,),
        n_items=4000,
        flip_rate=0.2,
        seed_correlation=0.9,
        cell_correlation=0.9,
    )
    (_, base), (_, after) = [one for one, _ in zip(simulate_answers(settings), range(2), strict=False)]
    assert isinstance(next(iter(simulate_answers(settings)))[0], Baseline)
    flipped = base.select("target_task", "target_language", flip=pl.Series(base["correct"] != after["correct"]))
    flips = {
        (task, language): part["flip"].to_numpy().astype(float)
        for (task, language), part in flipped.group_by("target_task", "target_language")
    }
    assert np.corrcoef(flips["alpha", "de"], flips["alpha", "it"])[0, 1] > 0.2
    assert abs(np.corrcoef(flips["alpha", "de"], flips["beta", "de"])[0, 1]) < 0.06
