"""What a user can choose about an analysis."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from donorgrid.core.errors import InputError
from donorgrid.core.records import Metric, SharedItems
from donorgrid.facts import benchmarks
from donorgrid.facts.distances import Distances
from donorgrid.facts.languages import language_facts


@dataclass(frozen=True, kw_only=True)
class AnalysisSettings:
    """The parameters of ``analyse``; the defaults are the study's.

    ``harm_limit_pp`` is positive: a cell is harmed when its delta is at most minus the limit. It is read as the decimal
    that is written (0.1 means one tenth), so that comparisons are exact. ``release_arithmetic`` compares raw floats
    instead, as the release did. ``n_bootstrap`` refits give the intervals of the crossed fits, ``n_rich_bootstrap``
    those of the slower fits with interactions. ``translations`` says per task "human" or "machine";
    ``assumed_flip_rate`` stands in for measured noise where a table has neither item nor seed errors;
    ``n_choices`` gives the options per item of tasks whose answers are not at hand; ``n_splits`` halves of the items
    correct for choosing; ``language_families`` overrides the built-in facts, language by language. ``distances`` adds
    distances between languages to the built-in ones (name -> (language, language) -> distance, each pair once), and
    ``n_language_permutations`` test their correlation with transfer. ``one_class`` says of targets (``task/language``)
    that nearly all their items have the same right answer. ``shared_items`` are pairs of a source and a target that
    share texts: the source trains on test items.
    """

    metric: Metric = "acc_norm"
    harm_limit_pp: float = 1.0
    release_arithmetic: bool = False
    n_bootstrap: int = 1000
    n_rich_bootstrap: int = 0
    n_permutations: int = 200
    seed: int = 0
    confidence: float = 0.95
    assumed_flip_rate: float = 0.04
    translations: Mapping[str, str] = field(default_factory=benchmarks.translations)
    n_choices: Mapping[str, int] = field(default_factory=benchmarks.n_choices)
    n_splits: int = 200
    language_families: Mapping[str, str] = field(default_factory=dict)
    distances: Mapping[str, Distances] = field(default_factory=dict)
    n_language_permutations: int = 999
    one_class: Mapping[str, str] = field(default_factory=dict)
    shared_items: tuple[SharedItems, ...] = ()

    def __post_init__(self) -> None:
        if not 0 < self.harm_limit_pp <= 100:
            raise InputError(f"harm limit {self.harm_limit_pp:g}: expected percentage points above 0 and at most 100")
        if not 0 < self.confidence < 1:
            raise InputError(f"confidence {self.confidence}: expected a share between 0 and 1")
        for name in ("n_bootstrap", "n_rich_bootstrap", "n_permutations", "n_splits", "n_language_permutations"):
            if getattr(self, name) < 0:
                raise InputError(f"{name} {getattr(self, name)}: expected 0 or more")
        if not 0 <= self.assumed_flip_rate <= 1:
            raise InputError(f"assumed flip rate {self.assumed_flip_rate}: expected a share from 0 to 1")

    def language_family(self, language: str) -> str | None:
        """The family of a language, or None when neither the settings nor the facts know it."""
        facts = language_facts(language)
        return self.language_families.get(language, facts.family if facts else None)
