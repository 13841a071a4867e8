"""What there is to work with: catalog tasks, items, models. No torch."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from donorgrid.core.errors import naming
from donorgrid.facts.models import model_facts
from donorgrid.models.folders import ModelFolder, find_model
from donorgrid.pipeline.prepare.notes import notes_of
from donorgrid.pipeline.prepare.study import prepare, study_paths
from donorgrid.pipeline.prepare.study_items import DOCUMENT_SOURCES
from donorgrid.pipeline.prepare.study_models import built_in_models
from donorgrid.tasks import (
    TaskReport,
    catalog_names,
    find_task,
    generation_rules,
    load_cell,
    show_cell,
    validate_task,
)
from donorgrid.tasks.task_files.plain import Columns
from donorgrid.tasks.validation.show import TokenView

View = Callable[[bool], TokenView]
"""A tokenizer's view of items whose answers are generated (True) or scored."""


@dataclass(frozen=True, kw_only=True)
class CatalogTask:
    """A task of the catalog, as a list shows it."""

    name: str
    title: str
    languages: tuple[str, ...]
    metrics: tuple[str, ...]
    licence: str


@dataclass(frozen=True, kw_only=True)
class KnownModel:
    """A base model, as a list shows it; digests are SHA-256."""

    name: str
    path: Path
    architecture: str
    n_parameters: int
    family: str
    size_b: float
    weights_digest: str
    tokenizer_digest: str


def catalog() -> list[CatalogTask]:
    """The tasks that donorgrid ships, by name."""
    tasks = [find_task(name, folder=Path()) for name in catalog_names()]
    return [
        CatalogTask(
            name=task.name, title=task.title, languages=task.languages, metrics=task.metrics, licence=task.licence
        )
        for task in tasks
    ]


def item_text(
    task: str,
    language: str | None,
    *,
    item_id: str | None,
    view: View | None,
    columns: Columns | None = None,
) -> str:
    """An item of a task as text, for training and for scoring.

    Parameters
    ----------
    task : str
        A catalog name, a task file, a data file, or ``lm_eval:NAME``.
    language : str or None
        The language; None is the task's first.
    item_id : str or None
        The item; None is the first.
    view : callable or None
        Takes whether answers are generated, and gives a tokenizer's view, to show tokens.
    columns : mapping, optional
        The data file's column for each of our names, where they differ.

    Returns
    -------
    str
    """
    task_file = find_task(task, folder=Path(), languages=() if language is None else (language,), columns=columns)
    cell = load_cell(task_file, language or task_file.languages[0], sources=DOCUMENT_SOURCES, allow_generation=True)
    rules = generation_rules(task_file, cell.cell.language) if task_file.generates else None
    token_view = None if view is None else view(task_file.generates)
    with naming(task):
        return show_cell(cell, item_id=item_id, view=token_view, rules=rules)


def validated(task: str, languages: Sequence[str], *, columns: Columns | None = None) -> TaskReport:
    """What a study would get from a task.

    Parameters
    ----------
    task : str
        A catalog name, a task file, a data file, or ``lm_eval:NAME``.
    languages : sequence of str
        The languages; empty for all that it has.
    columns : mapping, optional
        The data file's column for each of our names, where they differ.

    Returns
    -------
    TaskReport
    """
    task_file = find_task(task, folder=Path(), languages=tuple(languages), columns=columns)
    return validate_task(task_file, sources=DOCUMENT_SOURCES, languages=languages or None)


def model(model_id: str) -> ModelFolder:
    """The files of a base model: a built-in name, a folder, or a hub ID."""
    return find_model(model_id, revision=None, folder=Path(), built_in=built_in_models())


def models_named(model_ids: Sequence[str], *, revision: str | None, folder: Path) -> list[KnownModel]:
    """What is known of base models.

    Parameters
    ----------
    model_ids : sequence of str
        Built-in names, folders or hub IDs; empty for the built-in models.
    revision : str or None
        The revision on the hub.
    folder : Path
        The folder that relative paths are relative to.

    Returns
    -------
    list of KnownModel
    """
    return [_known(name, revision, folder) for name in model_ids or built_in_models()]


def fetch_study(study: str | Path, out: str | Path | None = None) -> tuple[str, tuple[str, ...]]:
    """Read everything that a study names, which brings it into the hub's cache.

    Parameters
    ----------
    study : str or Path
        A study file, or a folder that holds ``study.yaml``.
    out : str or Path, optional
        The study's folder, where it is not the default.

    Returns
    -------
    (str, tuple of str)
        What there is now in one line, and notes for the user.

    Raises
    ------
    InputError
        If the study, its items or its models cannot be read.
    """
    prepared = prepare(*study_paths(Path(study), None if out is None else Path(out)))
    n_items = sum(len(cell.train) + len(cell.test) for cell in prepared.cells.values())
    files = (file for folder in prepared.models.values() for file in folder.path.glob("*.safetensors"))
    n_bytes = sum(file.stat().st_size for file in files)
    size = (
        f"{len(prepared.models)} models ({n_bytes / 1e9:,.1f} GB of weights) and {n_items:,} items of "
        f"{len(prepared.tasks)} tasks are here"
    )
    return size, notes_of(prepared)


def _known(model_id: str, revision: str | None, folder: Path) -> KnownModel:
    files = find_model(model_id, revision=revision, folder=folder, built_in=built_in_models())
    facts = model_facts(model_id, n_parameters=files.n_parameters, model_type=files.model_type)
    return KnownModel(
        name=model_id,
        path=files.path,
        architecture=files.model_type,
        n_parameters=files.n_parameters,
        family=facts.family,
        size_b=facts.size_b,
        weights_digest=files.weights_digest,
        tokenizer_digest=files.tokenizer_digest,
    )
