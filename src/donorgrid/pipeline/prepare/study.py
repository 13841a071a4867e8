"""A study made ready for its work: read once, from the study file to grid, items and model files. No torch."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from donorgrid.core.errors import InputError
from donorgrid.core.names import StudyFolder
from donorgrid.core.records import Cell, CellItems, Example, Prompted, SharedItems
from donorgrid.models.folders import ModelFolder
from donorgrid.pipeline.prepare.study_grid import read_grid
from donorgrid.pipeline.prepare.study_items import draw_few_shot, load_items
from donorgrid.pipeline.prepare.study_models import find_models
from donorgrid.plan.grid import Grid
from donorgrid.plan.study import Study
from donorgrid.tasks import TaskFile, shared_items

STUDY_NAME = "study.yaml"


@dataclass(frozen=True, kw_only=True)
class PreparedItems:
    """A study with its grid, tasks and items, before any model is looked for.

    Attributes
    ----------
    study : Study
        The study as its file states it.
    grid : Grid
        Its baselines, few-shot subjects, runs and targets.
    tasks : mapping of str to TaskFile
        Its tasks by name.
    cells : mapping of Cell to CellItems
        Training texts and test items of every cell.
    examples : mapping of Prompted to tuple of Example
        The solved examples that a few-shot subject reads before every item.
    """

    study: Study
    grid: Grid
    tasks: Mapping[str, TaskFile]
    cells: Mapping[Cell, CellItems]
    examples: Mapping[Prompted, tuple[Example, ...]]

    @cached_property
    def shared_items(self) -> tuple[SharedItems, ...]:
        """The test items that its sources, or few-shot examples, may train on or show."""
        shown = [cell for cell in self.grid.example_cells if cell in self.cells]
        sources = list(dict.fromkeys((*self.grid.source_cells, *shown)))
        return shared_items(self.cells, sources=sources, targets=self.grid.targets)


@dataclass(frozen=True, kw_only=True)
class Prepared(PreparedItems):
    """A study made ready: a ``PreparedItems`` with the study's folder and the files of its models by name."""

    folder: StudyFolder
    models: Mapping[str, ModelFolder]


def study_paths(given: Path, out: Path | None) -> tuple[Path, StudyFolder]:
    """The study file and the study's folder.

    Parameters
    ----------
    given : Path
        A study file, or a folder that holds ``study.yaml``.
    out : Path or None
        The folder. None: that of ``mine.yaml`` is ``mine`` beside it, and that of ``study.yaml`` is where it lies.

    Returns
    -------
    (Path, StudyFolder)

    Raises
    ------
    InputError
        If ``out`` is a file.
    """
    if out is not None and out.is_file():
        raise InputError(f"{out}: it is no folder")
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

    Raises
    ------
    InputError
        If there is no such file, or no study was run with it.
    """
    path = Path(study)
    folder = study_paths(path, None if out is None else Path(out))[1]
    if not folder.root.exists():
        if not path.exists():
            raise InputError(f"{path}: no such file or folder")
        where = "here" if out is None else f"with --out {out}"
        raise InputError(f"{path}: no study was run {where}; 'donorgrid run' starts one")
    return folder


def prepare(study_file: Path, folder: StudyFolder) -> Prepared:
    """Read a study with its items, and find its models.

    Parameters
    ----------
    study_file : Path
        The study file.
    folder : StudyFolder
        Where the study's results are.

    Returns
    -------
    Prepared

    Raises
    ------
    InputError
        One line on whatever cannot be used.
    """
    items = prepare_items(study_file)
    return Prepared(**vars(items), folder=folder, models=find_models(items.study, origin=study_file))


def prepare_items(study_file: Path) -> PreparedItems:
    """Read a study with its tasks and items. InputError, one line, for whatever cannot be used."""
    study, tasks, grid = read_grid(study_file)
    cells = load_items(grid, tasks, study.limits, origin=study_file)
    examples = draw_few_shot(grid, tasks, origin=study_file)
    return PreparedItems(study=study, grid=grid, tasks=tasks, cells=cells, examples=examples)
