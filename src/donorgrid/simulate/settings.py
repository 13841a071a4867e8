"""What a simulated grid is made of."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from donorgrid.core.errors import InputError, suggestion
from donorgrid.core.records import Cell

COMPONENTS = (
    "model",
    "source",
    "target",
    "source_task",
    "source_language",
    "target_task",
    "target_language",
    "model:source",
    "model:target",
    "cell",
)
"""Random effects of a true delta; ``cell`` is what is left to the single (model, source, target)."""
FEWEST_DEGREES = 3.0


@dataclass(frozen=True, kw_only=True)
class SimulationSettings:
    """A full grid of every (task, language) on every other, and the truth behind it.

    ``spread_pp``: standard deviation of each of ``COMPONENTS``; those left out are zero. ``tail_degrees``: effects from
    Student's t with so many degrees of freedom (above 3), scaled to the same standard deviation; None is Gaussian.
    ``donors_pp`` and ``harmed_pp`` name source and target cells ("task/language") that add as much to every transfer
    delta; ``trained_pp`` is added to the trained cells. ``flip_rate`` is the share of an adapter's answers that differ
    from the baseline's with no true effect, by task where ``flip_rates`` says so. ``seed_correlation`` and
    ``cell_correlation`` (item answers only) are how far the flips of an item go together between train seeds, and
    between cells that share its ID (latent correlations). ``run_sd_pp`` spreads training runs. ``holes`` of the
    adapters' cells are left out.
    """

    n_models: int = 3
    tasks: tuple[str, ...] = ("alpha", "beta", "gamma")
    languages: tuple[str, ...] = ("ar", "bn", "de", "en", "es", "fr")
    train_seeds: tuple[int, ...] = (17, 42)
    n_items: int = 100
    n_choices: int = 4
    base_score: float = 0.5
    mean_pp: float = 0.0
    trained_pp: float = 0.0
    spread_pp: Mapping[str, float] = field(default_factory=dict)
    tail_degrees: float | None = None
    donors_pp: Mapping[str, float] = field(default_factory=dict)
    harmed_pp: Mapping[str, float] = field(default_factory=dict)
    flip_rate: float = 0.06
    flip_rates: Mapping[str, float] = field(default_factory=dict)
    seed_correlation: float = 0.3
    cell_correlation: float = 0.1
    run_sd_pp: float = 0.0
    holes: float = 0.0
    seed: int = 0

    def __post_init__(self) -> None:
        self._check_names("spread_pp", self.spread_pp, COMPONENTS)
        self._check_names("donors_pp", self.donors_pp, [str(cell) for cell in self.cells])
        self._check_names("harmed_pp", self.harmed_pp, [str(cell) for cell in self.cells])
        self._check_names("flip_rates", self.flip_rates, self.tasks)
        if min(self.n_models, self.n_items, len(self.tasks), len(self.languages), len(self.train_seeds)) < 1:
            raise InputError(
                "simulation: models, tasks, languages, train seeds and items: expected at least one of each"
            )
        if self.n_choices < 2:
            raise InputError(f"simulation: n_choices {self.n_choices}: expected 2 or more")
        shares = {"base_score": self.base_score, "flip_rate": self.flip_rate, "holes": self.holes}
        shares |= {"seed_correlation": self.seed_correlation, "cell_correlation": self.cell_correlation}
        shares |= {f"flip_rates of {task}": rate for task, rate in self.flip_rates.items()}
        for name, share in shares.items():
            if not 0.0 <= share < 1.0:
                raise InputError(f"simulation: {name} {share}: expected a share from 0 to below 1")
        if self.cell_correlation > self.seed_correlation:
            raise InputError("simulation: cell_correlation: expected at most seed_correlation, as seeds share the cell")
        spreads = {"run_sd_pp": self.run_sd_pp}
        spreads |= {f"spread_pp '{component}'": spread for component, spread in self.spread_pp.items()}
        for name, spread in spreads.items():
            if not 0.0 <= spread < math.inf:
                raise InputError(f"simulation: {name} is {spread:g}: expected 0 or more percentage points")
        amounts = {"mean_pp": self.mean_pp, "trained_pp": self.trained_pp}
        amounts |= {f"donors_pp '{cell}'": amount for cell, amount in self.donors_pp.items()}
        amounts |= {f"harmed_pp '{cell}'": amount for cell, amount in self.harmed_pp.items()}
        for name, amount in amounts.items():
            if not math.isfinite(amount):
                raise InputError(f"simulation: {name} is {amount:g}: expected a number of percentage points")
        if self.tail_degrees is not None and self.tail_degrees <= FEWEST_DEGREES:
            raise InputError(f"simulation: tail_degrees {self.tail_degrees}: expected more than {FEWEST_DEGREES:g}")

    @staticmethod
    def _check_names(what: str, given: Mapping[str, float], allowed: tuple[str, ...] | list[str]) -> None:
        for name in given:
            if name not in allowed:
                raise InputError(
                    f"simulation: {what} '{name}' is not one of {list(allowed)}{suggestion(name, allowed)}"
                )

    @property
    def models(self) -> tuple[str, ...]:
        """The models' names: sim-1, sim-2, ..."""
        return tuple(f"sim-{number}" for number in range(1, self.n_models + 1))

    @property
    def cells(self) -> tuple[Cell, ...]:
        """Every (task, language): all of them are sources and targets."""
        return tuple(Cell(task=task, language=language) for task in self.tasks for language in self.languages)

    def flip_rate_of(self, task: str) -> float:
        """The flip rate on a target task."""
        return self.flip_rates.get(task, self.flip_rate)
