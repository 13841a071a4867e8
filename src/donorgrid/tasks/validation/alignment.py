"""Do the languages of a task ask the same items? Checked by ID, and reported."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from donorgrid.core.records import CellItems


@dataclass(frozen=True, kw_only=True)
class Alignment:
    """How the IDs of one split agree across languages.

    ``n_common`` IDs are in every language. ``missing`` counts, by language, the IDs that another language has and this
    one lacks. ``answers_differ`` are common IDs whose right choice is not at the same place everywhere: items in
    parallel nearly always agree, so many of them mean that equal IDs are not equal items.
    """

    split: str
    languages: tuple[str, ...]
    n_common: int
    n_any: int
    missing: Mapping[str, int]
    answers_differ: tuple[str, ...]

    @property
    def aligned(self) -> bool:
        """Whether every language has the same IDs, with the same answers."""
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
    """The alignment of one split (train, test) over the languages of one task."""
    answers = {cell.cell.language: _answers(cell, split) for cell in cells}
    seen = Counter(item_id for one in answers.values() for item_id in one)
    common = [item_id for item_id, count in seen.items() if count == len(answers)]
    differ = tuple(item_id for item_id in common if len({one[item_id] for one in answers.values()}) > 1)
    return Alignment(
        split=split,
        languages=tuple(answers),
        n_common=len(common),
        n_any=len(seen),
        missing={language: len(seen) - len(one) for language, one in answers.items()},
        answers_differ=differ,
    )


def _answers(cell: CellItems, split: str) -> dict[str, int | None]:
    if split == "test":
        return {item.id: item.answer for item in cell.test}
    return {text.item_id: text.answer for text in cell.train}
