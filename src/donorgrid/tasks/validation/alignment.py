"""Says whether the languages of a task have the same items, by ID."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from donorgrid.core.records import CellItems


@dataclass(frozen=True, kw_only=True)
class Alignment:
    """How the IDs of one split agree across languages.

    Attributes
    ----------
    split
        ``train`` or ``test``.
    languages
        The languages compared.
    n_common
        How many IDs every language has.
    n_any
        How many IDs at least one language has.
    missing
        Language to the number of IDs that it lacks and another language has.
    answers_differ
        Common IDs whose right choice has not the same index everywhere. Parallel items nearly always agree, so many of
        them mean that equal IDs are not equal items.
    """

    split: str
    languages: tuple[str, ...]
    n_common: int
    n_any: int
    missing: Mapping[str, int]
    answers_differ: tuple[str, ...]

    @property
    def aligned(self) -> bool:
        """True if every language has the same IDs, with the same answers."""
        return self.n_common == self.n_any and not self.answers_differ

    def __str__(self) -> str:
        if self.aligned:
            return f"{self.split}: {self.n_common} items, the same IDs in {len(self.languages)} languages"
        lacking = ", ".join(f"{language} lacks {count}" for language, count in self.missing.items() if count)
        parts = [f"{self.n_common} of {self.n_any} IDs are in all {len(self.languages)} languages", lacking]
        if self.answers_differ:
            shown = ", ".join(self.answers_differ[:3])
            parts.append(f"{len(self.answers_differ)} common IDs have different answers, such as {shown}")
        return f"{self.split}: " + "; ".join(part for part in parts if part)


def align(cells: Sequence[CellItems], *, split: str) -> Alignment:
    """Compare the IDs of one split over the languages of a task.

    Parameters
    ----------
    cells
        The items of the task, one entry per language.
    split
        ``train`` or ``test``.

    Returns
    -------
    Alignment
    """
    answers = {cell.cell.language: _answers(cell, split) for cell in cells}
    n_languages = Counter(item_id for by_id in answers.values() for item_id in by_id)
    common = [item_id for item_id, count in n_languages.items() if count == len(answers)]
    differ = tuple(item_id for item_id in common if len({by_id[item_id] for by_id in answers.values()}) > 1)
    return Alignment(
        split=split,
        languages=tuple(answers),
        n_common=len(common),
        n_any=len(n_languages),
        missing={language: len(n_languages) - len(by_id) for language, by_id in answers.items()},
        answers_differ=differ,
    )


def _answers(cell: CellItems, split: str) -> dict[str, int | None]:
    """ID -> index of the right choice, None where a training text has none."""
    if split == "test":
        return {item.id: item.answer for item in cell.test}
    return {text.item_id: text.answer for text in cell.train}
