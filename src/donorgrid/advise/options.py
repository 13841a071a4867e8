"""What a model could be trained on, and what a statement on it rests on."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from donorgrid.core.records import Cell

Comparator = Literal["no training", "few-shot prompt", "own cell", "same task, all languages", "everything mixed"]
Rests = Literal["measured", "predicted from this model's adapters", "predicted from other models"]

_LEAST_SHARE = 0.1


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """What a statement on an option rests on.

    Attributes
    ----------
    rests_on : str
        ``measured``: the option itself was trained and scored on every target in question; else what it was predicted
        from.
    n_items, n_seeds : int, optional
        Of a measured option.
    n_adapters : int
        Adapters of this model that were measured, in the same recipe.
    n_models : int
        Other models whose tables were used.
    is_trained : bool
        True if the option was trained on this model, even if it was not scored on every target in question.
    """

    rests_on: Rests
    n_items: int | None = None
    n_seeds: int | None = None
    n_adapters: int = 0
    n_models: int = 0
    is_trained: bool = False


@dataclass(frozen=True, kw_only=True)
class Option:
    """Something that could be trained (or shown in a prompt).

    Attributes
    ----------
    name : str
        ``task/language``, a mix's name, or a comparator's.
    cells : mapping of Cell to float
        What it trains on, with weights that sum to 1; empty where nothing is trained.
    evidence : Evidence
        What the statement on it rests on.
    recipe : str
        The recipe it was measured with, or is predicted for.
    comparator : str, optional
        The fixed comparator that this option is, beside being an option.
    """

    name: str
    cells: Mapping[Cell, float]
    evidence: Evidence
    recipe: str = ""
    comparator: Comparator | None = None

    def trains_on(self, wanted: Mapping[Cell, float]) -> bool:
        """True if it trains on wanted targets themselves, which is no transfer, by a tenth of their weight or more."""
        return trained_share(self.cells, wanted) >= _LEAST_SHARE


def trained_share(cells: Collection[Cell], wanted: Mapping[Cell, float]) -> float:
    """The share of the wanted targets, by their weights, that are trained on.

    Parameters
    ----------
    cells : collection of Cell
        What is trained on.
    wanted : mapping of Cell to float
        The wanted targets with their weights.

    Returns
    -------
    float
        From 0 to 1.
    """
    return sum(weight for cell, weight in wanted.items() if cell in cells) / sum(wanted.values())


def missing_comparators(options: Sequence[Option], wanted: Collection[Cell]) -> tuple[str, ...]:
    """Says which fixed comparators are not among the options, and why.

    Parameters
    ----------
    options : sequence of Option
        All options.
    wanted : collection of Cell
        The wanted targets.

    Returns
    -------
    tuple of str
        A clause each.
    """
    reasons: dict[Comparator, str] = {
        "few-shot prompt": "no study measured one on every target in question",
        "own cell": "no training data of a wanted cell are known",
        "same task, all languages": "fewer than two sources of a wanted task are known",
        "everything mixed": "fewer than two sources are known",
    }
    everything = next((option.cells for option in options if option.comparator == "everything mixed"), None)
    if everything and set(everything) <= set(wanted):
        reasons["own cell"] = "it is everything mixed"
    if everything and {cell.task for cell in everything} <= {cell.task for cell in wanted}:
        reasons["same task, all languages"] = "it is everything mixed"
    present = {option.comparator for option in options}
    return tuple(f"{name}: {reason}" for name, reason in reasons.items() if name not in present)
