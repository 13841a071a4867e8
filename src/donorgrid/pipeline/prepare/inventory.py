"""What there is to work with: catalog tasks, items, models. No torch."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

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
from donorgrid.tasks.validation.show import Encode


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
    encode: Encode | None,
    columns: Columns | None = None,
) -> str:
    """One item of a task as text; the task's first language and first item unless they are named.

    ``columns`` are those of a plain data file, as in a study.
    """
    found = find_task(task, folder=Path(), languages=() if language is None else (language,), columns=columns)
    cell = load_cell(found, language or found.languages[0], sources=DOCUMENT_SOURCES, allow_generation=True)
    rules = generation_rules(found, cell.cell.language) if found.generates else None
    return show_cell(cell, item_id=item_id, encode=encode, rules=rules)


def validated(task: str, languages: Sequence[str], *, columns: Columns | None = None) -> TaskReport:
    """What a study would get from a task, in all of its languages or those named."""
    found = find_task(task, folder=Path(), languages=tuple(languages), columns=columns)
    return validate_task(found, sources=DOCUMENT_SOURCES, languages=languages or None)


def model(model_id: str) -> ModelFolder:
    """The files of a base model: a built-in name, a folder, or a hub ID."""
    return find_model(model_id, revision=None, folder=Path(), built_in=built_in_models())


def models_named(model_ids: Sequence[str], *, revision: str | None, folder: Path) -> list[KnownModel]:
    """What is known of these models, or of the built-in ones when none is named."""
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
    found = find_model(model_id, revision=revision, folder=folder, built_in=built_in_models())
    facts = model_facts(model_id, n_parameters=found.n_parameters, model_type=found.model_type)
    return KnownModel(
        name=model_id,
        path=found.path,
        architecture=found.model_type,
        n_parameters=found.n_parameters,
        family=facts.family,
        size_b=facts.size_b,
        weights_digest=found.weights_digest,
        tokenizer_digest=found.tokenizer_digest,
    )
