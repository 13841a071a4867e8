"""Who is examined, and from which tables: the rules get ``HeldOut``, the examiner keeps ``Truth``."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from donorgrid.core.errors import InputError
from donorgrid.core.records import Cell
from donorgrid.statistics.transfer_model.knowledge import Knowledge

_FEWEST_MODELS = 2


@dataclass(frozen=True, kw_only=True)
class HeldOut:
    """What a rule may know: other models' tables, and the family of the one in question."""

    exam: str
    model: str
    family: str
    knowledge: Knowledge

    @property
    def cells(self) -> tuple[Cell, ...]:
        return self.knowledge.targets

    @property
    def noise_variance(self) -> np.ndarray:
        """The variance of a measured delta: the mean of the knowledge models', shape ``(n_cells, n_cells)``."""
        return mean_noise(self.knowledge.noise_variance)

    @property
    def is_transfer(self) -> np.ndarray:
        return ~self.knowledge.is_trained_cell


@dataclass(frozen=True, kw_only=True)
class Truth:
    """What was measured of the model that is held out, shape ``(n_cells, n_cells)`` each."""

    delta_pp: np.ndarray
    noise_variance: np.ndarray


def mean_noise(noise_variance: np.ndarray) -> np.ndarray:
    """The mean over the models whose noise is known, shape ``(n_cells, n_cells)``."""
    known = noise_variance[np.isfinite(noise_variance).all(axis=(1, 2))]
    if not len(known):
        raise InputError("advice: no table says how large its noise is: delta_score_norm_std is missing")
    return known.mean(axis=0)


def exams_of(knowledge: Knowledge, kept_apart: Sequence[str]) -> list[tuple[HeldOut, Truth]]:
    """Every examination: each model without itself, each without its family, and those kept apart without all such.

    One that leaves fewer than two models to learn from is left out: no rule could tell its spread.
    """
    developed = [model for model in knowledge.models if model not in kept_apart]
    examinations = []
    for exam, models in (("model", developed), ("family", developed), ("held-out", list(kept_apart))):
        for model in models:
            at = knowledge.models.index(model)
            family = knowledge.families[at]
            relatives = [
                other for other, name in zip(knowledge.models, knowledge.families, strict=True) if name == family
            ]
            hidden = {model, *kept_apart, *(relatives if exam == "family" else [])}
            if len(set(knowledge.models) - hidden) < _FEWEST_MODELS:
                continue
            examinee = HeldOut(exam=exam, model=model, family=family, knowledge=knowledge.without(sorted(hidden)))
            noise = knowledge.noise_variance[at]
            noise = noise if np.isfinite(noise).all() else mean_noise(knowledge.noise_variance)
            truth = Truth(delta_pp=knowledge.delta_pp[at], noise_variance=noise)
            examinations.append((examinee, truth))
    return examinations
