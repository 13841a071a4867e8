"""What a user asks of ``recommend``."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from donorgrid.core.errors import InputError
from donorgrid.core.records import Cell

ALL = "all"


@dataclass(frozen=True, kw_only=True)
class AdviceRequest:
    """What is wanted, and where the evidence lies.

    Attributes
    ----------
    given : sequence of Path
        The study, import or tables of the model in question; empty for a model that was never measured.
    wanted : mapping of str to float
        ``task/language`` with its weight.
    guards : sequence of str
        ``task/language``, or the one word ``all``: every measured target but the wanted ones.
    knowledge : sequence of Path
        Studies or tables of other models.
    model : str, optional
        The model in question where the given tables hold several; the others are knowledge.
    family : str, optional
        The family of a model that was never measured.
    worst, limit_pp, confidence, allow_harmed
        As in ``advise.wishes.Wish``.
    with_typology : bool
        True to take the similarity of languages from URIEL+ (extra ``typology``).
    n_next : int
        How many measurements to plan.
    budget : float, optional
        Fine-tunes that can be paid for: measurements are planned while each is worth it.
    n_draws : int
        Joint draws; their error is about ``1 / sqrt(n_draws)`` of a posterior's spread.
    """

    given: Sequence[Path]
    wanted: Mapping[str, float]
    guards: Sequence[str] = ()
    knowledge: Sequence[Path] = ()
    model: str | None = None
    family: str | None = None
    worst: bool = False
    limit_pp: float = 1.0
    confidence: float = 0.9
    allow_harmed: int | None = None
    with_typology: bool = False
    n_next: int = 0
    budget: float | None = None
    n_draws: int = 2000
    wanted_cells: dict[Cell, float] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "wanted_cells", {Cell.parse(name): weight for name, weight in self.wanted.items()})
        if not self.given and not self.knowledge:
            raise InputError("recommend: name a study or tables, or tables of other models with --knowledge")
        if self.budget is not None and self.budget < 1:
            raise InputError(f"recommend: budget {self.budget:g}: expected 1 or more fine-tunes")
        if ALL in self.guards and len(self.guards) > 1:
            raise InputError(f"recommend: --guard {ALL} stands alone, but there are {len(self.guards)} guards")

    @property
    def all_guarded(self) -> bool:
        """True if every target but the wanted ones is guarded."""
        return list(self.guards) == [ALL]
