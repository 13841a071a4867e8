"""What ``power`` and ``plan`` print of a grid."""

from io import StringIO

from rich.console import Console

from donorgrid.cli.planning import show_power
from donorgrid.core.records import Cell
from donorgrid.plan.power import power_table
from donorgrid.statistics.power import Noise

CELLS = [Cell(task="currency", language="de"), Cell(task="currency", language="en")]


def printed(cells: list[Cell]) -> str:
    output = StringIO()
    rows = power_table(cells, cells, n_items=100, n_seeds=1, n_models=1, noise=Noise())
    show_power(rows, Console(file=output, width=120))
    return output.getvalue()


def test_a_study_of_one_cell_has_nothing_to_transfer_to_and_says_so() -> None:
    assert printed(CELLS[:1]) == (
        "power: the grid has no transfer cell: its only target is the cell that is trained on\n"
    )


def test_a_study_of_two_cells_shows_the_smallest_delta_of_one() -> None:
    assert "Smallest delta found" in printed(CELLS)
