"""What the report says about the study besides its tables."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True)
class Failure:
    """One piece of work that failed. ``source`` None is the baseline, ``target`` None every target, and an empty
    ``recipe`` every recipe."""

    model: str
    reason: str
    source: str | None = None
    target: str | None = None
    recipe: str = ""
    train_seed: int | None = None

    def explains(self, *, model: str, source: str, target: str, recipe: str) -> bool:
        """Whether this failure is why the cell (source, target) of a model and recipe is missing."""
        return (
            self.model == model
            and self.source in (None, source)
            and self.target in (None, target)
            and self.recipe in ("", recipe)
        )


@dataclass(frozen=True, kw_only=True)
class ReportHead:
    """The study behind the tables.

    ``tasks``, ``languages``, ``sources`` and ``targets`` give the order in which things are shown; what the tables
    hold beyond them follows. Planned ``sources`` and ``targets`` (names such as ``task/language``) that the tables
    lack are shown as missing. ``n_cells_*`` count (model, recipe, source, target). ``language_names`` maps codes to
    names for reading. ``created`` is text, passed in: the page holds no clock, so equal input gives equal bytes.
    """

    title: str
    models: tuple[str, ...]
    tasks: tuple[str, ...]
    languages: tuple[str, ...]
    recipes: tuple[str, ...]
    train_seeds: tuple[int, ...]
    metric: str
    harm_limit_pp: float
    n_cells_done: int
    n_cells_planned: int
    sources: tuple[str, ...] = ()
    targets: tuple[str, ...] = ()
    failures: tuple[Failure, ...] = ()
    warnings: tuple[str, ...] = ()
    versions: Mapping[str, str] = field(default_factory=dict)
    language_names: Mapping[str, str] = field(default_factory=dict)
    created: str | None = None

    def language(self, code: str) -> str:
        """``German (de)`` where the name is known, else the code."""
        return f"{self.language_names[code]} ({code})" if code in self.language_names else code
