"""What the report says about the study, apart from its tables."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from donorgrid.report.shown_advice import ShownAdvice


@dataclass(frozen=True, kw_only=True)
class Failure:
    """A piece of work that failed.

    Attributes
    ----------
    model, reason
        The base model, and why the work failed.
    source
        The source's name; None for the baseline.
    target
        The target cell (``task/language``); None for every target.
    recipe
        Empty for every recipe.
    train_seed
        None if the failure concerns no single seed.
    """

    model: str
    reason: str
    source: str | None = None
    target: str | None = None
    recipe: str = ""
    train_seed: int | None = None

    def explains(self, *, model: str, source: str, target: str, recipe: str) -> bool:
        """True if this failure is the reason why the pair (source, target) of a model and recipe is missing."""
        return (
            self.model == model
            and self.source in (None, source)
            and self.target in (None, target)
            and self.recipe in ("", recipe)
        )


@dataclass(frozen=True, kw_only=True)
class ReportHead:
    """The study behind the tables.

    Attributes
    ----------
    title
        The page's title.
    models, tasks, languages, recipes, train_seeds
        What the study uses, in the order in which the page shows it. Whatever the tables hold in addition comes last.
    metric
        ``acc`` or ``acc_norm``.
    harm_limit_pp
        A delta of minus this or less counts as harm; positive, in percentage points.
    n_cells_done, n_cells_planned
        Numbers of (model, recipe, source, target) combinations.
    sources, targets
        Planned sources and targets by name (``task/language``). Those that the tables lack are shown as missing.
    failures, warnings
        Work that failed, and sentences that the page shows at its top.
    versions
        Package to version.
    language_names
        Language code to English name.
    advice
        Recommendations, computed beforehand.
    created
        A date as text, or None. The page reads no clock, so equal input gives equal bytes.
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
    advice: tuple[ShownAdvice, ...] = ()
    created: str | None = None

    def language(self, code: str) -> str:
        """``German (de)`` if the name is known, otherwise the code."""
        return f"{self.language_names[code]} ({code})" if code in self.language_names else code
