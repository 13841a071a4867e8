"""The files that say what a study's folder is about: ``study.yaml`` with every default, and ``plan.json``.

With ``plan.json``, progress and analysis need neither the models nor the data sets.
"""

import json
import os
from dataclasses import asdict
from pathlib import Path

from donorgrid.core.atomic_files import make_folder, remove_unfinished, whole_file
from donorgrid.core.errors import InputError
from donorgrid.core.names import StudyFolder
from donorgrid.facts.models import ModelFacts
from donorgrid.pipeline.prepare.study import Prepared
from donorgrid.pipeline.prepare.work_keys import WorkPlan
from donorgrid.plan.files import read_study, write_study
from donorgrid.plan.grid import make_grid
from donorgrid.plan.study import ModelSpec


def write_study_files(prepared: Prepared, plan: WorkPlan, *, study_file: Path) -> None:
    """Write the resolved study and its work plan into the study's folder; what a killed process left is removed.

    Parameters
    ----------
    prepared : Prepared
        The study.
    plan : WorkPlan
        Its work plan.
    study_file : Path
        The file that it was read from. Local paths are rewritten to be relative to the study's folder.
    """
    folder = prepared.folder
    make_folder(folder.root)
    remove_unfinished(folder.root)
    _write_resolved(prepared, study_file)
    write_workplan(plan, folder)


def write_workplan(plan: WorkPlan, folder: StudyFolder) -> None:
    """Write ``plan.json``.

    Parameters
    ----------
    plan : WorkPlan
        The plan; the study itself is in ``study.yaml``.
    folder : StudyFolder
        Where it is written.
    """
    content = {
        "languages_of": dict(plan.languages_of),
        "models": {name: asdict(facts) for name, facts in plan.facts.items()},
        "conditions": plan.conditions,
        "training_keys": plan.training_keys,
        "example_keys": plan.example_keys,
    }
    with whole_file(folder.plan) as unfinished:
        unfinished.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def read_workplan(folder: StudyFolder) -> WorkPlan:
    """The work plan in a study's folder; InputError when nothing was run there."""
    if not folder.plan.exists():
        raise InputError(f"{folder.root}: no study was run here; 'donorgrid run' starts one")
    content = json.loads(folder.plan.read_text(encoding="utf-8"))
    study = read_study(folder.study_file)
    languages_of = {task: tuple(languages) for task, languages in content["languages_of"].items()}
    return WorkPlan(
        study=study,
        grid=make_grid(study, languages_of, origin=str(folder.study_file)),
        languages_of=languages_of,
        facts={name: ModelFacts(**facts) for name, facts in content["models"].items()},
        conditions=content["conditions"],
        training_keys=content["training_keys"],
        example_keys=content.get("example_keys", {}),  # plans of donorgrid before few-shot sources have none
    )


def _write_resolved(prepared: Prepared, study_file: Path) -> None:
    start, root = study_file.parent, prepared.folder.root
    study = prepared.study
    resolved = study.model_copy(
        update={
            "models": [_relocated_model(spec, start, root) for spec in study.models],
            "tasks": [spec.model_copy(update={"task": _relocated(spec.task, start, root)}) for spec in study.tasks],
        }
    )
    target = prepared.folder.study_file
    if not (target.exists() and read_study(target) == resolved):
        write_study(resolved, target)


def _relocated_model(spec: ModelSpec, start: Path, root: Path) -> ModelSpec:
    tokenizer = None if spec.tokenizer is None else _relocated(spec.tokenizer, start, root)
    return spec.model_copy(update={"id": _relocated(spec.id, start, root), "tokenizer": tokenizer})


def _relocated(written: str, start: Path, root: Path) -> str:
    """A local path relative to ``start`` as a path relative to ``root``; anything else as it is."""
    path = start / written
    is_local = path.exists() or (path.parent.is_dir() and "{" in path.name)
    return os.path.relpath(path, root) if is_local and not Path(written).is_absolute() else written
