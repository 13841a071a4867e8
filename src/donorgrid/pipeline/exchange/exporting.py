"""A study's adapters, training jobs and tasks in the formats of other tools. No torch."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from donorgrid.core.errors import InputError, suggestion
from donorgrid.core.names import StudyFolder
from donorgrid.core.records import Run
from donorgrid.exchange import AdapterCard, TrainingJob, export_adapter, export_lm_eval_task, export_training
from donorgrid.pipeline.analyse.tables import BY_SEED, study_deltas
from donorgrid.pipeline.prepare.study import DOCUMENT_SOURCES, Prepared, built_in_models, prepare, study_paths
from donorgrid.pipeline.prepare.work_keys import read_workplan
from donorgrid.plan.grid import Grid
from donorgrid.tasks import find_task, load_cell
from donorgrid.tasks.task_files.plain import Columns
from donorgrid.train.text_selection import select_texts, split_texts


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """Which run of a study is meant; what is None may be left out where the study has one only.

    ``checkpoint`` None is the end of the training.
    """

    source: str
    model: str | None = None
    recipe: str | None = None
    train_seed: int | None = None
    data_seed: int | None = None
    train_size: int | None = None
    checkpoint: float | None = None


def export_run_adapter(study: Path, wanted: Wanted, out: Path, *, base_model: str | None = None) -> Path:
    """Copy a run's adapter, with a model card that carries its transfer profile, into the new folder ``out``.

    ``base_model`` is the base's hub ID for the card, where the study names a local folder.
    """
    _, folder = study_paths(study, None)
    plan = read_workplan(folder)
    run = find_run(plan.grid, wanted)
    spec = next(one for one in plan.study.models if one.name == run.model)
    tasks = {cell.task for cell in run.source.cells}
    files = [find_task(one.task, folder=folder.root, columns=one.columns) for one in plan.study.tasks]
    card = AdapterCard(
        base_model=base_model or spec.id,
        revision=spec.revision,
        source=run.source,
        recipe=run.recipe,
        train_seed=run.train_seed,
        checkpoint=run.checkpoint,
        built_in=base_model is None and spec.id in built_in_models(),
        metric=plan.study.metric,
        harm_limit_pp=plan.study.harm_limit_pp,
        profile=_profile(folder, run),
        licences={task.name: task.licence for task in files if task.name in tasks},
    )
    return export_adapter(folder.adapter(run), card, out)


def export_run_training(study: Path, wanted: Wanted, out: Path, *, trainer: str) -> Path:
    """Write a run as data and configuration for another trainer into the new folder ``out``; the configuration."""
    file, folder = study_paths(study, None)
    prepared = prepare(file, folder)
    return export_training(_job(prepared, find_run(prepared.grid, wanted)), out, trainer=trainer)


def export_task(task: str, language: str, out: Path, *, columns: Columns | None = None) -> Path:
    """Write one language of a task as an lm-eval task file with its data; the YAML's path."""
    found = find_task(task, folder=Path(), languages=(language,), columns=columns)
    return export_lm_eval_task(load_cell(found, language, sources=DOCUMENT_SOURCES), out, metrics=found.metrics)


def find_run(grid: Grid, wanted: Wanted) -> Run:
    """The one run that is meant; InputError when there is none, or more than one."""
    names = sorted({run.source.name for run in grid.runs})
    if wanted.source in {one.source.name for one in grid.prompted}:
        raise InputError(f"source '{wanted.source}': nothing is trained for it; its examples stand in the prompts")
    if wanted.source not in names:
        raise InputError(f"source '{wanted.source}': not in the study{suggestion(wanted.source, names)}")
    runs = [run for run in grid.runs if run.source.name == wanted.source]
    if not any(run.checkpoint == wanted.checkpoint for run in runs):
        kept = dict.fromkeys(f"{run.checkpoint:g}" for run in runs if run.checkpoint is not None)
        raise InputError(
            f"source '{wanted.source}': no run with checkpoint '{wanted.checkpoint:g}'; there are {list(kept)}"
        )
    runs = [run for run in runs if run.checkpoint == wanted.checkpoint]
    for key, value in _axes(wanted).items():
        there: list[Any] = list(dict.fromkeys(_axes(run)[key] for run in runs))
        if value is None and len(there) > 1:
            raise InputError(f"source '{wanted.source}': say which {key}; there are {there}")
        if value is not None and value not in there:
            raise InputError(f"source '{wanted.source}': no run with {key} '{value}'; there are {there}")
        runs = [run for run in runs if value in (None, _axes(run)[key])]
    return runs[0]


def _axes(run: Run | Wanted) -> dict[str, str | int | None]:
    return {
        "model": run.model,
        "recipe": run.recipe.name if isinstance(run, Run) else run.recipe,
        "train seed": run.train_seed,
        "data seed": run.data_seed,
        "train size": run.train_size,
    }


def _profile(folder: StudyFolder, run: Run) -> pl.DataFrame:
    """The run's deltas, one row per target that is scored."""
    rows = study_deltas(folder)[BY_SEED]
    return rows.filter(
        pl.col("model") == run.model,
        pl.col("recipe") == run.recipe.name,
        pl.col("source_name") == run.source.name,
        pl.col("train_seed") == run.train_seed,
        pl.col("data_seed") == run.data_seed,
        pl.col("train_size").eq_missing(run.train_size),
        pl.col("checkpoint").eq_missing(run.checkpoint),
    )


def _job(prepared: Prepared, run: Run) -> TrainingJob:
    spec = next(one for one in prepared.study.models if one.name == run.model)
    texts = select_texts(run, {cell: prepared.cells[cell].train for cell in run.source.cells})
    split = split_texts(texts, split_seed=prepared.study.split_seed, validation_share=run.recipe.validation_share)
    local = prepared.models[run.model].path
    return TrainingJob(
        model_id=str(local.resolve()) if _is_local(spec.id, prepared) else spec.id,
        revision=spec.revision,
        source_name=run.source.name,
        recipe=run.recipe,
        train_seed=run.train_seed,
        train=tuple(split.train),
        validation=tuple(split.validation),
    )


def _is_local(model_id: str, prepared: Prepared) -> bool:
    """Whether an ID is no hub ID: a folder beside the study, or a built-in model."""
    return (prepared.folder.root / model_id).is_dir() or "/" not in model_id
