"""A run of a study for other tools: its adapter with a model card, or its training as a job of another trainer."""

import shutil
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import polars as pl

from donorgrid import models
from donorgrid.core.atomic_files import make_folder
from donorgrid.core.errors import InputError
from donorgrid.core.extras import require_training
from donorgrid.core.names import StudyFolder
from donorgrid.core.records import Run, TextEncoding, TrainingText, at_strength
from donorgrid.exchange import AdapterCard, TrainingJob, export_adapter, export_training
from donorgrid.exchange.folders import refuse_filled
from donorgrid.models.adapter_files import TRAIN_LOG
from donorgrid.models.folders import ModelFolder, find_model
from donorgrid.pipeline.analyse.answered_runs import strength_in_tables
from donorgrid.pipeline.analyse.tables import BY_SEED, study_deltas
from donorgrid.pipeline.exchange.export_scaled import Scaling, write_scaled
from donorgrid.pipeline.exchange.select_run import RunSelection, find_run
from donorgrid.pipeline.prepare.study import Prepared, prepare, study_paths
from donorgrid.pipeline.prepare.study_files import read_workplan
from donorgrid.pipeline.prepare.study_models import built_in_models
from donorgrid.pipeline.prepare.text_encoding import text_encoding
from donorgrid.pipeline.prepare.work_keys import WorkPlan
from donorgrid.store.adapters import read_stamp
from donorgrid.tasks import find_task
from donorgrid.train.text_selection import select_texts, split_texts
from donorgrid.train.written_texts import written_out


def export_run_adapter(
    study: Path,
    selection: RunSelection,
    out: Path,
    *,
    base_model: str | None = None,
    form: str | None = None,
    rank: int | None = None,
) -> Path:
    """Copy a run's adapter into a new folder, with a model card that carries its transfer profile.

    A run at a strength is written so that PEFT or transformers computes with this strength.

    Parameters
    ----------
    study : Path
        A study file, or a study's folder.
    selection : RunSelection
        Which run.
    out : Path
        The new folder.
    base_model : str, optional
        The base's hub ID for the card, where the study names a local folder.
    form : {"adapter", "merged", "low-rank"}, optional
        What is written of a run at a strength, as in ``Scaling``.
    rank : int, optional
        The rank of ``low-rank``.

    Returns
    -------
    Path
        The folder.

    Raises
    ------
    InputError
        If the run is not clear, or has no answers yet.
    """
    _, folder = study_paths(study, None)
    plan = read_workplan(folder)
    run = find_run(plan.grid, selection)
    spec = plan.study.model(run.model)
    tasks = {cell.task for cell in run.source.cells}
    files = [find_task(task.task, folder=folder.root, columns=task.columns) for task in plan.study.tasks]
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
        profile=_profile(plan, folder, run),
        licences={task.name: task.licence for task in files if task.name in tasks},
    )
    _check_adapter(plan, folder, run)
    if run.strength is None and form is None:
        return export_adapter(folder.adapter(run), card, out)
    scaling = Scaling(strength=1.0 if run.strength is None else run.strength, form=form, rank=rank)
    base = find_model(spec.id, revision=spec.revision, folder=folder.root, built_in=built_in_models())
    return _export_scaled(base, folder.adapter(run), card, out, scaling)


def _export_scaled(base: ModelFolder, adapter: Path, card: AdapterCard, out: Path, scaling: Scaling) -> Path:
    refuse_filled(out)
    make_folder(out.parent)
    with TemporaryDirectory(dir=out.parent) as folder:
        sentence = write_scaled(base, adapter, Path(folder), scaling)
        if (adapter / TRAIN_LOG).is_file():
            shutil.copyfile(adapter / TRAIN_LOG, Path(folder) / TRAIN_LOG)
        said = f"{at_strength(scaling.strength)}: {sentence}"
        return export_adapter(Path(folder), replace(card, scaling=said, merged=scaling.form == "merged"), out)


def _check_adapter(plan: WorkPlan, folder: StudyFolder, run: Run) -> None:
    """Checks that what is handed out is the adapter that the study trained, by its digest and its training."""
    path = folder.adapter(run)
    stamp = read_stamp(path)
    if stamp is not None and stamp.training_key != plan.training_key(run):
        raise InputError(f"{path}: the adapter of an earlier version of the study; 'donorgrid run' trains it again")


def export_run_training(study: Path, selection: RunSelection, out: Path, *, trainer: str) -> Path:
    """Write a run as data and configuration for another trainer.

    Parameters
    ----------
    study : Path
        A study file, or a study's folder.
    selection : RunSelection
        Which run.
    out : Path
        The new folder.
    trainer : {"trl", "llama-factory", "axolotl"}
        The trainer.

    Returns
    -------
    Path
        The configuration.
    """
    file, folder = study_paths(study, None)
    prepared = prepare(file, folder)
    return export_training(_job(prepared, find_run(prepared.grid, selection)), out, trainer=trainer)


def _profile(plan: WorkPlan, folder: StudyFolder, run: Run) -> pl.DataFrame:
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
        pl.col("strength").eq_missing(strength_in_tables(plan, run)),
    )


def _job(prepared: Prepared, run: Run) -> TrainingJob:
    spec = prepared.study.model(run.model)
    texts = select_texts(run, {cell: prepared.cells[cell].train for cell in run.source.cells})
    split = split_texts(texts, split_seed=prepared.study.split_seed, validation_share=run.recipe.validation_share)
    local = prepared.models[run.model].path
    folder = prepared.models[run.model]
    encoding = text_encoding(prepared.study, run.recipe, max_length=None)
    return TrainingJob(
        model_id=str(local.resolve()) if _is_local(spec.id, prepared) else spec.id,
        revision=spec.revision,
        source_name=run.source.name,
        recipe=run.recipe,
        train_seed=run.train_seed,
        train=tuple(split.train),
        validation=tuple(split.validation),
        encoding=encoding,
        written=_writer(folder, encoding),
    )


def _writer(folder: ModelFolder, encoding: TextEncoding) -> Callable[[TrainingText], tuple[str, str]]:
    """Writes special tokens out with the model's tokenizer, which is loaded at the first text."""

    @cache
    def tokenizer() -> Any:
        require_training("export training for this trainer")
        return models.loading.load_tokenizer(folder)

    return lambda text: written_out(text, tokenizer(), encoding)


def _is_local(model_id: str, prepared: Prepared) -> bool:
    """Whether an ID is no hub ID: a folder beside the study, or a built-in model."""
    return (prepared.folder.root / model_id).is_dir() or "/" not in model_id
