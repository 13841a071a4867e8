"""The result of an import: the subjects, their item answers or totals, and notes for the user."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import polars as pl

from donorgrid.core.records import Source


@dataclass(frozen=True, kw_only=True)
class ImportedSubject:
    """A base model (``source`` is None) or one fine-tune of it, evaluated elsewhere.

    ``model`` is the name in tables; ``size_b`` is in billions of parameters.
    """

    model: str
    source: Source | None
    recipe: str = "unspecified"
    train_seed: int = 0
    data_seed: int = 0
    train_size: int | None = None
    checkpoint: float | None = None
    strength: float | None = None
    family: str | None = None
    size_b: float | None = None

    def __str__(self) -> str:
        if self.source is None:
            return f"{self.model}, the base model"
        return f"{self.model}, {self.source.name}, recipe {self.recipe}, train_seed {self.train_seed}"


@dataclass(frozen=True, kw_only=True)
class ImportedAnswers:
    """Item answers by subject: each base model, then its fine-tunes.

    ``read`` reads a subject's answers, with the columns of ``ITEM_ANSWERS``, when it is called. ``notes`` are lines for
    the user.
    """

    subjects: tuple[ImportedSubject, ...]
    read: Callable[[ImportedSubject], pl.DataFrame]
    notes: tuple[str, ...] = ()

    def models(self) -> Iterator[tuple[ImportedSubject, tuple[ImportedSubject, ...]]]:
        """Yields each base model with its fine-tunes."""
        trained = [subject for subject in self.subjects if subject.source is not None]
        for base in (subject for subject in self.subjects if subject.source is None):
            yield base, tuple(subject for subject in trained if subject.model == base.model)


@dataclass(frozen=True, kw_only=True)
class ImportedTable:
    """Result rows without items, with the columns of ``DELTAS_BY_SEED`` or ``DELTAS``, and notes for the user."""

    frame: pl.DataFrame
    notes: tuple[str, ...] = ()
