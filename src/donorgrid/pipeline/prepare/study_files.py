"""The files that say what a study's folder is about: ``study.yaml`` with every default, and ``plan.json``.

With ``plan.json``, progress and analysis need neither the models nor the data sets.
"""

import json
import os
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from donorgrid.core.atomic_files import make_folder, remove_unfinished, whole_file
from donorgrid.core.digests import digest_of
from donorgrid.core.errors import InputError
from donorgrid.core.names import StudyFolder
from donorgrid.core.records import SharedItems
from donorgrid.facts.models import ModelFacts
from donorgrid.pipeline.prepare.study import Prepared
from donorgrid.pipeline.prepare.work_keys import FORMAT, SEMANTICS, WorkPlan
from donorgrid.plan.files import read_study, write_study
from donorgrid.plan.grid import make_grid
from donorgrid.plan.recipes import RecipeSpec
from donorgrid.plan.study import ModelSpec, Study


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
    resolved = _resolved(prepared, study_file)
    if not _holds(folder.study_file, resolved):
        write_study(resolved, folder.study_file)
    write_workplan(replace(plan, study=resolved), folder)


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
        "format": FORMAT,
        "semantics": SEMANTICS,
        "study": _study_digest(plan.study),
        "languages_of": dict(plan.languages_of),
        "models": {name: asdict(facts) for name, facts in plan.facts.items()},
        "conditions": plan.conditions,
        "training_keys": plan.training_keys,
        "example_keys": plan.example_keys,
        "one_class": plan.one_class,
        "shared_items": [asdict(pair) for pair in plan.shared_items],
    }
    content["sha256"] = digest_of(content)
    with whole_file(folder.plan) as unfinished:
        unfinished.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def read_workplan(folder: StudyFolder) -> WorkPlan:
    """The work plan in a study's folder. InputError when nothing was run there, or the plan is damaged."""
    if not folder.plan.exists():
        raise InputError(f"{folder.root}: no study was run here; 'donorgrid run' starts one")
    plan = _read_plan(folder)
    study = read_study(folder.study_file)
    try:
        return _checked_plan(plan, study, folder)
    except InputError:
        former = study.model_copy(update={"recipes": {name: _former(spec) for name, spec in study.recipes.items()}})
        try:
            return _checked_plan(plan, former, folder)
        except InputError:
            pass
        raise


def _former(recipe: RecipeSpec) -> RecipeSpec:
    """The recipe as a folder means it that was written before recipes said how texts become tokens."""
    return recipe.model_copy(update={"tokenise": "apart", "append_eos": False})


def _checked_plan(plan: "_PlanFile", study: Study, folder: StudyFolder) -> WorkPlan:
    work_plan = WorkPlan(
        study=study,
        grid=make_grid(study, plan.languages_of, origin=str(folder.study_file)),
        languages_of=plan.languages_of,
        facts=plan.models,
        conditions=plan.conditions,
        training_keys=plan.training_keys,
        example_keys=plan.example_keys,
        one_class=plan.one_class,
        shared_items=plan.shared_items,
    )
    _check_keys(work_plan, folder)
    return work_plan


def read_folder_version(folder: StudyFolder) -> tuple[int, int] | None:
    """The format and the engine semantics that a folder was written with; None where no plan can be read."""
    try:
        plan = _read_plan(folder)
    except InputError:
        return None
    return plan.format, plan.semantics


def study_was_edited(plan: WorkPlan, folder: StudyFolder) -> bool:
    """True if ``study.yaml`` was changed since ``plan.json`` was written.

    Parameters
    ----------
    plan : WorkPlan
        The work keys of the study as it is now.
    folder : StudyFolder
        The folder of the study.

    Returns
    -------
    bool
    """
    return _read_plan(folder).study not in (None, _study_digest(plan.study))


@dataclass(frozen=True, kw_only=True)
class _PlanFile:
    """The content of ``plan.json``; the defaults are those of a folder of format 1."""

    languages_of: dict[str, tuple[str, ...]]
    models: dict[str, ModelFacts]
    conditions: dict[str, dict[str, str]]
    training_keys: dict[str, str]
    example_keys: dict[str, str] = field(default_factory=dict)
    one_class: dict[str, str] = field(default_factory=dict)
    shared_items: tuple[SharedItems, ...] = ()
    format: int = 1
    semantics: int = 1
    study: str | None = None


_PLAN_FILE = TypeAdapter(_PlanFile)


def _read_plan(folder: StudyFolder) -> _PlanFile:
    try:
        content = json.loads(folder.plan.read_text(encoding="utf-8"))
        digest = content.pop("sha256", None)
        plan = _PLAN_FILE.validate_python(content)
        if digest != (None if plan.format == 1 else digest_of(content)):
            raise ValueError("its checksum is another")
    except FileNotFoundError:
        raise InputError(f"{folder.root}: no study was run here; 'donorgrid run' starts one") from None
    except (ValueError, AttributeError, TypeError, RecursionError) as error:
        is_json = isinstance(error, ValidationError)
        reason = "its keys are not those of a plan" if is_json else str(error).splitlines()[0]
        raise InputError(f"{folder.plan}: damaged ({reason}); 'donorgrid run' writes it again") from error
    return plan


def _check_keys(plan: WorkPlan, folder: StudyFolder) -> None:
    """Checks that a plan has a key for all work of its study: a study may be edited after its run."""
    try:
        for subject in plan.grid.subjects:
            plan.claim_key(subject)
            for target in plan.grid.targets:
                plan.scoring_key(subject, target, None)
        for model in plan.study.models:
            _ = plan.facts[model.name]
    except KeyError as error:
        raise InputError(
            f"{folder.study_file}: it was edited after the last run, which did not plan {error}; "
            "'donorgrid run' plans it again"
        ) from None


def _study_digest(study: Study) -> str:
    """Of what differs from the defaults: keys that a later version adds change nothing."""
    return digest_of(study.model_dump(mode="json", exclude_defaults=True))


def _resolved(prepared: Prepared, study_file: Path) -> Study:
    """The study with every default, its local paths relative to the study's folder."""
    return relocated_study(prepared.study, study_file.parent, prepared.folder.root)


def relocated_study(study: Study, start: Path, root: Path) -> Study:
    """The same study for a file in another folder.

    Parameters
    ----------
    study : Study
        Its local paths are relative to ``start``.
    start, root : Path
        The former folder and the new one.

    Returns
    -------
    Study
        Its local paths are relative to ``root``.
    """
    return study.model_copy(
        update={
            "models": [_relocated_model(spec, start, root) for spec in study.models],
            "tasks": [spec.model_copy(update={"task": _relocated(spec.task, start, root)}) for spec in study.tasks],
        }
    )


def _holds(file: Path, study: Study) -> bool:
    """True if a study file holds this very study; False also where it is missing or damaged."""
    try:
        return read_study(file) == study
    except InputError:
        return False


def _relocated_model(spec: ModelSpec, start: Path, root: Path) -> ModelSpec:
    tokenizer = None if spec.tokenizer is None else _relocated(spec.tokenizer, start, root)
    return spec.model_copy(update={"id": _relocated(spec.id, start, root), "tokenizer": tokenizer})


def _relocated(written: str, start: Path, root: Path) -> str:
    """A local path relative to ``start`` as a path relative to ``root``; anything else as it is."""
    path = start / written
    is_local = path.exists() or (path.parent.is_dir() and "{" in path.name)
    return os.path.relpath(path, root) if is_local and not Path(written).is_absolute() else written
