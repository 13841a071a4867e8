"""Items that a run has not answered count on neither side."""

import polars as pl
import pytest

from donorgrid.analyse import deltas, pair_answers
from donorgrid.analyse.reading.answers import AnsweredRun
from donorgrid.core.records import Cell, Source


def answers(correct: dict[str, bool]) -> pl.DataFrame:
    rows = [
        {
            "target_task": "quiz",
            "target_language": "de",
            "item_id": item_id,
            "answer": 0,
            "chosen": 1 - right,
            "correct": right,
            "chosen_norm": 1 - right,
            "correct_norm": right,
        }
        for item_id, right in correct.items()
    ]
    return pl.DataFrame(rows)


def test_the_baseline_is_counted_on_the_items_that_the_run_answered() -> None:
    source = Source.of_cell(Cell(task="quiz", language="it"))
    run = AnsweredRun(model="m", recipe="r", source=source, train_seed=1)
    base = answers({"a": True, "b": True, "c": False, "d": True})
    paired = pair_answers(base, [(run, answers({"b": True, "c": True, "d": False}))])
    (row,) = deltas(paired, metric="acc").to_dicts()
    assert (row["n_items"], row["n_right"], row["n_right_base"]) == (3, 2, 2)
    assert row["delta_pp"] == pytest.approx(0.0)
    assert row["n_unpaired"] == 1
