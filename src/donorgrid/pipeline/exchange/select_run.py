"""Finds a run by its source and by each setting that differs within the study."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from donorgrid.core.errors import InputError, suggestion
from donorgrid.core.records import Run
from donorgrid.plan.grid import Grid


@dataclass(frozen=True, kw_only=True)
class RunSelection:
    """What names a run of a study.

    Attributes
    ----------
    source : str
        The name of its source.
    model, recipe, train_seed, data_seed, train_size
        May be None where the study has only one.
    checkpoint : float or None
        Number of epochs trained; None: the end of the training.
    strength : float or None
        How much of the adapter's change is applied; None or 1: all of it.
    """

    source: str
    model: str | None = None
    recipe: str | None = None
    train_seed: int | None = None
    data_seed: int | None = None
    train_size: int | None = None
    checkpoint: float | None = None
    strength: float | None = None


def find_run(grid: Grid, selection: RunSelection) -> Run:
    """Returns the run that a selection names.

    Parameters
    ----------
    grid : Grid
        The grid of the study.
    selection : RunSelection
        The known settings of the run.

    Returns
    -------
    Run

    Raises
    ------
    InputError
        If there is no such run, or more than one.
    """
    names = sorted({run.source.name for run in grid.runs})
    if selection.source in {subject.source.name for subject in grid.prompted}:
        raise InputError(f"source '{selection.source}': nothing is trained for it; its examples stand in the prompts")
    if selection.source not in names:
        raise InputError(f"source '{selection.source}': not in the study{suggestion(selection.source, names)}")
    runs = [run for run in grid.runs if run.source.name == selection.source]
    runs = _at(runs, "checkpoint", selection.checkpoint, selection.source)
    runs = _at(runs, "strength", None if selection.strength == 1 else selection.strength, selection.source)
    for key, value in _axes(selection).items():
        there: list[Any] = list(dict.fromkeys(_axes(run)[key] for run in runs))
        if value is None and len(there) > 1:
            raise InputError(f"source '{selection.source}': say which {key}; there are {there}")
        if value is not None and value not in there:
            raise InputError(f"source '{selection.source}': no run with {key} '{value}'; there are {there}")
        runs = [run for run in runs if value in (None, _axes(run)[key])]
    return runs[0]


def _at(runs: Sequence[Run], axis: str, value: float | None, source: str) -> list[Run]:
    """The runs at one checkpoint or strength; None stands for the adapter as it was trained."""
    chosen = [run for run in runs if getattr(run, axis) == value]
    if not chosen:
        measured = dict.fromkeys(f"{there:g}" for run in runs if (there := getattr(run, axis)) is not None)
        raise InputError(f"source '{source}': no run with {axis} '{value:g}'; there are {list(measured)}")
    return chosen


def _axes(run: Run | RunSelection) -> dict[str, str | int | None]:
    return {
        "model": run.model,
        "recipe": run.recipe.name if isinstance(run, Run) else run.recipe,
        "train seed": run.train_seed,
        "data seed": run.data_seed,
        "train size": run.train_size,
    }
