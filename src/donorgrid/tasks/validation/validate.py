"""Reads a whole task and reports what a study would get from it."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from donorgrid.core.errors import InputError
from donorgrid.core.records import CellItems, ItemCounts
from donorgrid.tasks.cells import load_cell
from donorgrid.tasks.documents.read import DocumentSource
from donorgrid.tasks.items.draws import one_class_notes
from donorgrid.tasks.task_files.task_file import TaskFile
from donorgrid.tasks.validation.alignment import Alignment, align
from donorgrid.tasks.validation.shared_texts import shared_items, shared_notes

SPLITS = ("train", "test")
INVALID_SHOWN = 5


@dataclass(frozen=True, kw_only=True)
class TaskReport:
    """What was read of a task.

    Attributes
    ----------
    task
        The task.
    counts
        Language to split to the counts of documents.
    alignments
        How IDs agree across languages, by split; empty for a single language.
    notes
        Further remarks, each once.
    failures
        Language to the reason why it could not be read.
    """

    task: TaskFile
    counts: Mapping[str, Mapping[str, ItemCounts]]
    alignments: tuple[Alignment, ...]
    notes: tuple[str, ...]
    failures: Mapping[str, str]

    @property
    def sound(self) -> bool:
        """True if every language was read and no document was invalid."""
        return not self.failures and not any(
            counts.invalid for by_split in self.counts.values() for counts in by_split.values()
        )

    def __str__(self) -> str:
        licence = f"licence {self.task.licence}" + (" (NON-COMMERCIAL)" if self.task.non_commercial else "")
        head = f"{self.task.name}: {self.task.title}; {licence}; metrics {', '.join(self.task.metrics)}"
        lines = [head, *(line for language, counts in self.counts.items() for line in _count_lines(language, counts))]
        lines += [f"  {language}  FAILED: {reason}" for language, reason in self.failures.items()]
        lines += [f"  aligned by ID, {alignment}" for alignment in self.alignments]
        return "\n".join([*lines, *(f"  note: {note}" for note in self.notes)])


def validate_task(
    task: TaskFile,
    *,
    sources: Mapping[str, DocumentSource],
    languages: Sequence[str] | None = None,
    on_cell: Callable[[CellItems], None] | None = None,
) -> TaskReport:
    """Read the languages of a task and report; a language that cannot be read is a failure, not an error.

    Parameters
    ----------
    task
        The task.
    sources
        Further readers of documents by ``dataset_path``.
    languages
        Which languages; by default all.
    on_cell
        Is called with the items of each language after it was read, for a progress line.

    Returns
    -------
    TaskReport
    """
    cells: list[CellItems] = []
    failures: dict[str, str] = {}
    for language in languages or task.languages:
        try:
            cells.append(load_cell(task, language, sources=sources, allow_generation=True))
        except InputError as error:
            failures[language] = str(error)
        else:
            if on_cell is not None:
                on_cell(cells[-1])
    several = len(cells) > 1
    return TaskReport(
        task=task,
        counts={cell.cell.language: cell.counts for cell in cells},
        alignments=tuple(align(cells, split=split) for split in SPLITS if several and any(map(_has(split), cells))),
        notes=tuple(
            dict.fromkeys((*(note for cell in cells for note in cell.notes), *_one_class(cells), *_shared(cells)))
        ),
        failures=failures,
    )


def _one_class(cells: Sequence[CellItems]) -> Iterator[str]:
    yield from (f"{cell.cell.language} {note}" for cell in cells for note in one_class_notes(cell))


def _shared(cells: Sequence[CellItems]) -> Iterator[str]:
    """The training texts that occur among the task's own test items."""
    by_cell = {cell.cell: cell for cell in cells}
    yield from shared_notes(shared_items(by_cell, sources=list(by_cell), targets=list(by_cell)))


def _has(split: str) -> Callable[[CellItems], bool]:
    return lambda cell: bool(cell.test if split == "test" else cell.train)


def _count_lines(language: str, counts: Mapping[str, ItemCounts]) -> list[str]:
    parts = [f"{split} {counted.kept} of {counted.read}" for split, counted in counts.items()]
    lines = [f"  {language}  " + ", ".join(parts)]
    for split, counted in counts.items():
        listed = counted.invalid[:INVALID_SHOWN]
        shown = [f"    {split} item {item_id} is invalid: {reason}" for item_id, reason in listed]
        more = len(counted.invalid) - len(shown)
        lines += [*shown, *([f"    {split}: {more} more invalid items"] if more else [])]
    return lines
