"""What an import gives: whose answers were found, the answers or the totals, and what is to be said about them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import polars as pl

from donorgrid.core.records import Source


@dataclass(frozen=True, kw_only=True)
class ImportedSubject:
    """A base model (``source`` is None) or one fine-tune of it, evaluated elsewhere.

    ``model`` is the name that stands in tables; ``size_b`` is in billions of parameters.
    """

    model: str
    source: Source | None
    recipe: str = "unspecified"
    train_seed: int = 0
    data_seed: int = 0
    train_size: int | None = None
    checkpoint: float | None = None
    family: str | None = None
    size_b: float | None = None

    def __str__(self) -> str:
        if self.source is None:
            return f"{self.model}, the base model"
        return f"{self.model}, {self.source.name}, recipe {self.recipe}, train_seed {self.train_seed}"


@dataclass(frozen=True, kw_only=True)
class ImportedAnswers:
    """Item answers by subject, one base model first, then its fine-tunes.

    ``read`` gives a subject's answers with the columns of ``ITEM_ANSWERS``; nothing is held in memory until then.
    ``notes`` are lines for the user.
    """

    subjects: tuple[ImportedSubject, ...]
    read: Callable[[ImportedSubject], pl.DataFrame]
    notes: tuple[str, ...] = ()

    def models(self) -> Iterator[tuple[ImportedSubject, tuple[ImportedSubject, ...]]]:
        """Each base model with its fine-tunes."""
        for base in (one for one in self.subjects if one.source is None):
            yield base, tuple(one for one in self.subjects if one.source is not None and one.model == base.model)


@dataclass(frozen=True, kw_only=True)
class ImportedTable:
    """Result rows without items: columns as ``core.tables.DELTAS_BY_SEED`` or ``DELTAS`` name them, and notes."""

    frame: pl.DataFrame
    notes: tuple[str, ...] = ()
