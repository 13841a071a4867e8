"""From a study file to everything that the work needs: grid, items, model folders, keys. Nothing heavy is loaded."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from donorgrid import pocket
from donorgrid.core.errors import InputError
from donorgrid.core.names import StudyFolder
from donorgrid.core.records import Cell, CellItems, Example, Prompted
from donorgrid.models.folders import ModelFolder, find_model, weight_shapes
from donorgrid.plan.cost import is_adapted
from donorgrid.plan.files import read_study, write_study
from donorgrid.plan.grid import Grid, make_grid, recipe_record
from donorgrid.plan.study import Limits, Study
from donorgrid.tasks import DocumentSource, TaskFile, draw_examples, find_task, load_cell, load_examples

DOCUMENT_SOURCES: Mapping[str, DocumentSource] = {"pocket": pocket.documents}
STUDY_NAME = "study.yaml"


@dataclass(frozen=True, kw_only=True)
class PreparedItems:
    """A study with its grid, tasks and items, before any model is looked for."""

    study: Study
    grid: Grid
    tasks: Mapping[str, TaskFile]
    cells: Mapping[Cell, CellItems]
    examples: Mapping[Prompted, tuple[Example, ...]]


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """A study made ready: what to do, with which texts, on which models, into which folder.

    ``examples`` are what a few-shot subject reads, solved, before every item.
    """

    study: Study
    folder: StudyFolder
    grid: Grid
    tasks: Mapping[str, TaskFile]
    cells: Mapping[Cell, CellItems]
    examples: Mapping[Prompted, tuple[Example, ...]]
    models: Mapping[str, ModelFolder]


def study_paths(given: Path, out: Path | None) -> tuple[Path, StudyFolder]:
    """The study file and the study's folder for what a user gave: a file, or a folder that holds ``study.yaml``.

    Without ``out``, the folder of ``mine.yaml`` is ``mine`` beside it; a folder is its own.
    """
    if given.is_dir():
        return given / STUDY_NAME, StudyFolder(out or given)
    return given, StudyFolder(out or (given.parent if given.name == STUDY_NAME else given.with_suffix("")))


def study_folder(study: str | Path, out: str | Path | None = None) -> StudyFolder:
    """The folder of a study.

    Parameters
    ----------
    study : str or Path
        A study file, or a folder that holds ``study.yaml``.
    out : str or Path, optional
        The folder, where it is not the default of ``study_paths``.

    Returns
    -------
    StudyFolder
    """
    return study_paths(Path(study), None if out is None else Path(out))[1]


def prepare(study_file: Path, folder: StudyFolder) -> Prepared:
    """Read the study, its tasks and items, and find its models. InputError, one line, for whatever is amiss."""
    read = prepare_items(study_file)
    models = {
        model.name: find_model(model.id, revision=model.revision, folder=study_file.parent, built_in=built_in_models())
        for model in read.study.models
    }
    for name, found in models.items():
        _check_modules(read.study, found, model=name, origin=study_file)
    return Prepared(**vars(read), folder=folder, models=models)


def _check_modules(study: Study, found: ModelFolder, *, model: str, origin: Path) -> None:
    """InputError when a recipe adapts nothing in a model."""
    names = weight_shapes(found)
    for name, spec in study.recipes.items():
        recipe = recipe_record(name, spec)
        if not any(is_adapted(weight, recipe) for weight in names):
            last = sorted({weight.removesuffix(".weight").rpartition(".")[2] for weight in names})
            raise InputError(
                f"{origin}: recipes.{name}.target_modules: model '{model}' has none of {list(recipe.target_modules)}; "
                f"it has {', '.join(last)}; 'all-linear' takes all linear ones"
            )


def prepare_items(study_file: Path) -> PreparedItems:
    """Read the study, its tasks and items. InputError, one line, for whatever is amiss."""
    study = read_study(study_file)
    tasks = _find_tasks(study, study_file)
    languages_of = {name: task.languages for name, task in tasks.items()}
    grid = make_grid(study, languages_of, origin=str(study_file))
    cells = {cell: _load(cell, tasks[cell.task], study.limits) for cell in grid.cells}
    for cell in grid.source_cells:
        if not cells[cell].train:
            raise InputError(f"{study_file}: sources: task '{cell.task}' has no training items in '{cell.language}'")
    examples = _examples(grid, tasks, study.limits, origin=study_file)
    return PreparedItems(study=study, grid=grid, tasks=tasks, cells=cells, examples=examples)


def _examples(
    grid: Grid, tasks: Mapping[str, TaskFile], limits: Limits, *, origin: Path
) -> dict[Prompted, tuple[Example, ...]]:
    """What each few-shot subject shows, of the items that a training on the cell would have."""
    pools = {
        cell: load_examples(tasks[cell.task], cell.language, sources=DOCUMENT_SOURCES)[: limits.train_items]
        for cell in grid.example_cells
    }
    drawn = {}
    for one in grid.prompted:
        (cell,) = one.source.cells
        try:
            drawn[one] = draw_examples(pools[cell], one.source.shots or 0, draw_seed=one.draw_seed)
        except InputError as error:
            raise InputError(f"{origin}: sources: {one.source}: {error}") from None
    return drawn


def built_in_models() -> dict[str, Path]:
    """The models that donorgrid ships, by name."""
    return {"pocket": pocket.model_folder()}


def write_resolved(prepared: Prepared, study_file: Path) -> None:
    """Write the resolved study into its folder; local paths are rewritten to hold from there."""
    base, root = study_file.parent, prepared.folder.root
    study = prepared.study
    moved = study.model_copy(
        update={
            "models": [one.model_copy(update={"id": _moved(one.id, base, root)}) for one in study.models],
            "tasks": [one.model_copy(update={"task": _moved(one.task, base, root)}) for one in study.tasks],
        }
    )
    target = prepared.folder.study_file
    if not (target.exists() and read_study(target) == moved):
        write_study(moved, target)


def _moved(written: str, base: Path, root: Path) -> str:
    """A local path relative to ``base`` as a path relative to ``root``; anything else as it is."""
    path = base / written
    is_local = path.exists() or (path.parent.is_dir() and "{" in path.name)
    return os.path.relpath(path, root) if is_local and not Path(written).is_absolute() else written


def _find_tasks(study: Study, study_file: Path) -> dict[str, TaskFile]:
    tasks: dict[str, TaskFile] = {}
    for index, written in enumerate(study.tasks):
        task = find_task(written.task, folder=study_file.parent, languages=study.languages, columns=written.columns)
        if task.name in tasks:
            raise InputError(f"{study_file}: tasks[{index}]: a second task is called '{task.name}'")
        tasks[task.name] = task
    return tasks


def _load(cell: Cell, task: TaskFile, limits: Limits) -> CellItems:
    items = load_cell(task, cell.language, sources=DOCUMENT_SOURCES, allow_generation=True)
    return CellItems(
        cell=items.cell,
        train=items.train[: limits.train_items],
        test=items.test[: limits.test_items],
        counts=items.counts,
        notes=items.notes,
    )
