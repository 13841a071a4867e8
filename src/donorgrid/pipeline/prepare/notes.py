"""What a user should know before a study runs: licences, unusable items, items that are not aligned."""

from collections.abc import Iterator
from dataclasses import replace

from donorgrid.core.records import Cell
from donorgrid.pipeline.prepare.study import Prepared
from donorgrid.tasks import align, one_class_notes, shared_notes


def notes_of(prepared: Prepared) -> tuple[str, ...]:
    """Lines on what does not stop a study but a reader of its results should know."""
    return tuple(
        dict.fromkeys(
            (
                *_licences(prepared),
                *_weights(prepared),
                *_items(prepared),
                *_answers(prepared),
                *_tasks(prepared),
                *_alignments(prepared),
                *shared_notes(prepared.shared_items),
            )
        )
    )


def _licences(prepared: Prepared) -> Iterator[str]:
    for name, task in prepared.tasks.items():
        if task.non_commercial:
            yield f"task '{name}': licence {task.licence}, not for commercial use"


def _weights(prepared: Prepared) -> Iterator[str]:
    for model in prepared.study.models:
        if model.weights == "4bit":
            yield f"model '{model.name}': weights kept in 4 bit; its adapters are scored unmerged"


def _items(prepared: Prepared) -> Iterator[str]:
    for cell, items in prepared.cells.items():
        for split, counts in items.counts.items():
            if counts.invalid:
                item_id, reason = counts.invalid[0]
                yield (
                    f"{cell}: {len(counts.invalid)} of {counts.read} {split} items cannot be used; "
                    f"the first is '{item_id}': {reason}"
                )


def _answers(prepared: Prepared) -> Iterator[str]:
    for cell in prepared.grid.cells:
        items = prepared.cells[cell]
        used = replace(
            items,
            train=items.train if cell in prepared.grid.source_cells else (),
            test=items.test if cell in prepared.grid.targets else (),
        )
        yield from (f"{cell}: {note}" for note in one_class_notes(used))


def _tasks(prepared: Prepared) -> Iterator[str]:
    """The remarks on tasks; one that holds for several languages is said once."""
    cells_of: dict[tuple[str, str], list[Cell]] = {}
    for cell, items in prepared.cells.items():
        for note in items.notes:
            cells_of.setdefault((cell.task, note), []).append(cell)
    for (task, note), cells in cells_of.items():
        yield f"{cells[0]}: {note}" if len(cells) == 1 else f"task '{task}': {note}"


def _alignments(prepared: Prepared) -> Iterator[str]:
    for name in prepared.tasks:
        targets = [prepared.cells[cell] for cell in prepared.grid.targets if cell.task == name]
        if len(targets) > 1:
            alignment = align(targets, split="test")
            if not alignment.aligned:
                yield f"task '{name}': items are not the same in every language: {alignment}"
