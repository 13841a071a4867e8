"""Cells are read as they are written."""

import pytest

from donorgrid.core.errors import InputError
from donorgrid.core.records import Cell


@pytest.mark.parametrize("task", ["arc", "mmlu/law", "/proc/self/mem"])
def test_a_cell_is_read_as_it_is_written(task: str) -> None:
    cell = Cell(task=task, language="zh-Hant")
    assert Cell.parse(str(cell)) == cell


@pytest.mark.parametrize("text", ["", "arc", "arc/", "/de", "/"])
def test_other_texts_are_no_cells(text: str) -> None:
    with pytest.raises(InputError, match="expected 'task/language'"):
        Cell.parse(text)
