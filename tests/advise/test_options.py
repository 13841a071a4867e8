"""Why a fixed comparator is not among the options."""

from donorgrid.advise.options import Comparator, Evidence, Option, missing_comparators
from donorgrid.core.records import Cell

CELLS = [Cell(task=task, language=language) for task in ("ask", "tell") for language in ("de", "en")]
ALONE = "no training data of a wanted cell are known"


def option(*cells: Cell, comparator: Comparator | None = None) -> Option:
    evidence = Evidence(rests_on="measured")
    return Option(name="mix", cells=dict.fromkeys(cells, 1.0 / len(cells)), evidence=evidence, comparator=comparator)


def reasons(*options: Option, wanted: list[Cell]) -> dict[str, str]:
    return dict(clause.split(": ", 1) for clause in missing_comparators(options, wanted))


def test_where_everything_is_wanted_the_wanted_cells_are_everything_mixed() -> None:
    everything = option(*CELLS, comparator="everything mixed")
    told = reasons(everything, wanted=CELLS)
    assert told["own cell"] == told["same task, all languages"] == "it is everything mixed"
    assert "everything mixed" not in told


def test_a_wanted_cell_without_training_data_is_missing_for_that_reason() -> None:
    everything = option(*CELLS[1:], comparator="everything mixed")
    assert reasons(everything, wanted=CELLS[:1])["own cell"] == ALONE
    assert reasons(option(CELLS[1]), wanted=CELLS[:1])["everything mixed"] == "fewer than two sources are known"


def test_a_comparator_that_is_there_is_not_missing() -> None:
    assert "own cell" not in reasons(option(CELLS[0], comparator="own cell"), wanted=CELLS[:1])
