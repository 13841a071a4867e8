"""Totals without items: the lm-eval tasks of one cell add up, and acc_norm is counted where there is one."""

from pathlib import Path

import pytest

from donorgrid.core.records import Cell, Source
from donorgrid.exchange.lm_eval.files import TaskOutput
from donorgrid.exchange.lm_eval.totals import totals
from donorgrid.exchange.mapping import LmEvalMapping
from donorgrid.exchange.mapping_files import make_mapping
from donorgrid.exchange.records import ImportedSubject

RUNS = {"base": {"model": "m", "baseline": True}, "tuned": {"model": "m", "source": "quiz/de"}}
MAPPING = make_mapping({"tasks": {"quiz_{language}": "quiz"}, "runs": RUNS}, LmEvalMapping, origin="test")
CELL = Cell(task="quiz", language="de")
BASE = ImportedSubject(model="m", source=None)
TUNED = ImportedSubject(model="m", source=Source.of_cell(CELL))


def output(name: str, n_items: int, **n_right: int) -> TaskOutput:
    scores = {f"{metric},none": count / n_items for metric, count in n_right.items()}
    return TaskOutput(
        file=Path("results_x.json"),
        name=name,
        scores=scores,
        n_items=n_items,
        conditions={},
        delimiter=" ",
        samples=None,
    )


def test_tasks_of_one_cell_add_up() -> None:
    tuned = {"one": output("one", 10, acc=6, acc_norm=7), "two": output("two", 30, acc=9)}
    base = {"one": output("one", 10, acc=5, acc_norm=5), "two": output("two", 30, acc=10)}
    (row,) = totals({BASE: base, TUNED: tuned}, dict.fromkeys(tuned, CELL), MAPPING).to_dicts()
    counts = [row[name] for name in ("n_items", "n_right", "n_right_base", "n_right_norm", "n_right_norm_base")]
    assert counts == [40, 15, 15, 16, 15]
    assert (row["delta_acc_pp"], row["delta_acc_norm_pp"]) == pytest.approx((0.0, 2.5))
    assert row["score"] == pytest.approx(15 / 40)
