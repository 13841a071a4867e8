"""Which lm-eval task is which cell: of several patterns that match, the first one wins."""

from types import SimpleNamespace
from typing import Any

from donorgrid.core.records import Cell
from donorgrid.exchange.lm_eval.cells import cells_of
from donorgrid.exchange.mapping import LmEvalMapping
from donorgrid.exchange.mapping_files import make_mapping

RUNS = {"base": {"model": "m", "baseline": True}, "tuned": {"model": "m", "source": "quiz/de"}}


def cells(tasks: dict[str, str], *names: str) -> dict[str, Cell]:
    output: Any = SimpleNamespace(groups={}, tasks=dict.fromkeys(names))
    return cells_of([output], make_mapping({"tasks": tasks, "runs": RUNS}, LmEvalMapping, origin="test"))


def test_the_first_pattern_wins() -> None:
    patterns = {"arc_easy_{language}": "easy", "arc_*_{language}": "arc"}
    found = cells(patterns, "arc_easy_de", "arc_hard_de")
    assert {name: str(cell) for name, cell in found.items()} == {"arc_easy_de": "easy/de", "arc_hard_de": "arc/de"}
    turned = cells(dict(reversed(patterns.items())), "arc_easy_de", "arc_hard_de")
    assert {cell.task for cell in turned.values()} == {"arc"}
