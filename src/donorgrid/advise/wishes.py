"""What is wanted of a fine-tuning, and what must not break."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from donorgrid.core.arrays import Reals
from donorgrid.core.errors import InputError
from donorgrid.core.records import Cell

SHARE_OF_HARMED_GUARDS = 0.05
"""With every other target guarded, the expected share of harmed ones that is allowed."""


@dataclass(frozen=True, kw_only=True)
class Wish:
    """Targets to gain on, targets to guard, and how much risk is allowed.

    Attributes
    ----------
    wanted : mapping of Cell to float
        Weights of the wanted targets, which sum to 1.
    guards : tuple of Cell
        The guarded targets.
    all_guarded : bool
        True if they are all targets but the wanted ones: judged by the expected share that is harmed.
    worst : bool
        True if the gain is the smallest over the wanted targets, and not their weighted mean.
    limit_pp : float
        A true delta at or below minus this is harm.
    confidence : float
        The probability, in (0.5, 1), that a statement must have.
    allow_harmed : int, optional
        How many harmed guards are allowed in expectation; None asks that no named guard is harmed.
    """

    wanted: Mapping[Cell, float]
    guards: tuple[Cell, ...] = ()
    all_guarded: bool = False
    worst: bool = False
    limit_pp: float = 1.0
    confidence: float = 0.9
    allow_harmed: int | None = None

    def __post_init__(self) -> None:
        if not self.wanted:
            raise InputError("recommend: name at least one wanted target (--for TASK/LANGUAGE)")
        if min(self.wanted.values()) < 0 or sum(self.wanted.values()) <= 0:
            raise InputError("recommend: weights must be 0 or more, and one of them more than 0")
        if not 0.5 < self.confidence < 1.0:
            raise InputError(f"recommend: confidence {self.confidence:g}: expected a number above 0.5 and below 1")
        if self.limit_pp < 0.0:
            raise InputError(f"recommend: limit {self.limit_pp:g}: expected 0 or more percentage points")

    @property
    def targets(self) -> tuple[Cell, ...]:
        """The wanted targets, then the guards that are not among them."""
        return (*self.wanted, *(guard for guard in self.guards if guard not in self.wanted))

    @property
    def expects_some_harm(self) -> bool:
        """True if guards are judged by the expected number of harmed ones, False if none may be harmed."""
        return self.all_guarded or self.allow_harmed is not None

    @property
    def n_allowed(self) -> float:
        """The expected number of harmed guards that is allowed, where guards are judged by it."""
        return self.allow_harmed if self.allow_harmed is not None else SHARE_OF_HARMED_GUARDS * len(self.guards)

    def gain(self, deltas: Reals) -> Reals:
        """The objective.

        Parameters
        ----------
        deltas : ndarray
            In pp, shape ``(..., n_wanted)``, in the order of ``wanted``.

        Returns
        -------
        ndarray
            In pp, shape ``(...)``.
        """
        if self.worst:
            return np.asarray(deltas.min(axis=-1))
        weights = np.array(list(self.wanted.values()))
        return np.asarray(deltas @ (weights / weights.sum()))
