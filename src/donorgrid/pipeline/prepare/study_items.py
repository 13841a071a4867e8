"""The items, training texts and few-shot examples of a study's cells."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from donorgrid import pocket
from donorgrid.core.errors import InputError
from donorgrid.core.records import Cell, CellItems, Example, Prompted
from donorgrid.plan.grid import Grid
from donorgrid.plan.study import Limits
from donorgrid.tasks import DocumentSource, TaskFile, draw_examples, draw_items, load_cell, load_examples

DOCUMENT_SOURCES: Mapping[str, DocumentSource] = {"pocket": pocket.documents}
"""Where documents come from that are in no file: by the name that a task file gives."""


def load_items(grid: Grid, tasks: Mapping[str, TaskFile], limits: Limits, *, origin: Path) -> dict[Cell, CellItems]:
    """The items and training texts of every cell of a grid.

    Parameters
    ----------
    grid : Grid
        The grid.
    tasks : mapping of str to TaskFile
        Its tasks by name.
    limits : Limits
        How many training and test items are used at most, and the seed that draws them.
    origin : Path
        The study file, for messages.

    Returns
    -------
    dict of Cell to CellItems

    Raises
    ------
    InputError
        If data cannot be read, or a source has no training items.
    """
    whole = {
        cell: load_cell(tasks[cell.task], cell.language, sources=DOCUMENT_SOURCES, allow_generation=True)
        for cell in grid.cells
    }
    cells: dict[Cell, CellItems] = {}
    for name in tasks:
        of_task = [items for cell, items in whole.items() if cell.task == name]
        train = draw_items([items.train for items in of_task], limits.train_items, seed=limits.draw_seed)
        test = draw_items([items.test for items in of_task], limits.test_items, seed=limits.draw_seed)
        for items, texts, drawn in zip(of_task, train, test, strict=True):
            cells[items.cell] = replace(items, train=texts, test=drawn)
    for cell in grid.source_cells:
        if not cells[cell].train:
            raise InputError(f"{origin}: sources: task '{cell.task}' has no training items in '{cell.language}'")
    return {cell: cells[cell] for cell in grid.cells}


def draw_few_shot(grid: Grid, tasks: Mapping[str, TaskFile], *, origin: Path) -> dict[Prompted, tuple[Example, ...]]:
    """The solved examples of every few-shot subject, drawn from all items of its cell that may be shown.

    Limits do not cut this pool.

    Parameters
    ----------
    grid : Grid
        The grid.
    tasks : mapping of str to TaskFile
        Its tasks by name.
    origin : Path
        The study file, for messages.

    Returns
    -------
    dict of Prompted to tuple of Example

    Raises
    ------
    InputError
        If a cell has too few items.
    """
    pools = {
        cell: load_examples(tasks[cell.task], cell.language, sources=DOCUMENT_SOURCES) for cell in grid.example_cells
    }
    drawn = {}
    for subject in grid.prompted:
        (cell,) = subject.source.cells
        try:
            drawn[subject] = draw_examples(pools[cell], subject.source.shots or 0, draw_seed=subject.draw_seed)
        except InputError as error:
            raise InputError(f"{origin}: sources: {subject.source}: {error}") from None
    return drawn
