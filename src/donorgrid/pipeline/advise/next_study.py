"""The measurements that come next as studies that ``donorgrid run`` takes."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from donorgrid.advise.next_step import NextStep
from donorgrid.advise.options import Option
from donorgrid.advise.wishes import Wish
from donorgrid.core.errors import InputError
from donorgrid.core.records import Cell
from donorgrid.pipeline.advise.evidence_at_hand import NEW_MODEL, EvidenceAtHand
from donorgrid.pipeline.analyse.measured import MeasuredCells
from donorgrid.pipeline.prepare.study_files import relocated_study
from donorgrid.plan.files import make_study, write_study
from donorgrid.plan.study import Study

TRAINING, SCORING = "next.yaml", "next-scoring.yaml"
_LONGEST_NAME = 60


@dataclass(frozen=True, kw_only=True)
class NextStudy:
    """A study file, and the command that runs it."""

    file: Path
    command: str


def write_next_studies(
    steps: Sequence[NextStep], options: Sequence[Option], wish: Wish, evidence: EvidenceAtHand, *, out: Path
) -> list[NextStudy]:
    """Write a study of the sources to train, and one of the targets or items to score, where there are any.

    Parameters
    ----------
    steps : sequence of NextStep
        What to measure.
    options : sequence of Option
        The options of the arm that is gone on with, as the steps number them.
    wish : Wish
        The targets.
    evidence : EvidenceAtHand
        A given study is gone on with: its models, recipes and sizes.
    out : Path
        The folder of the files.

    Returns
    -------
    list of NextStudy
        Empty where no study was given and the model has no name.
    """
    if evidence.model == NEW_MODEL:
        return []
    studies = []
    trained = [options[int(step.measurement.index[0, 0])] for step in steps if step.measurement.kind == "train"]
    if trained:
        study = _study_of(evidence, trained, wish, out)
        write_study(study, out / TRAINING)
        studies.append(NextStudy(file=out / TRAINING, command=f"donorgrid run {out / TRAINING}"))
    scored = [step.measurement for step in steps if step.measurement.kind != "train"]
    if scored and evidence.studies:
        study, folder = _given(evidence.studies[-1])
        more = any(measurement.kind == "score more items" for measurement in scored)
        cells = [Cell.parse(measurement.label) for measurement in scored if measurement.kind == "score a target"]
        write_study(relocated_study(_scored(study, cells, more=more), folder, out), out / SCORING)
        studies.append(NextStudy(file=out / SCORING, command=f"donorgrid run {out / SCORING} --out {folder}"))
    return studies


def source_entry(parts: Mapping[Cell, float], name: str) -> str | dict[str, Any]:
    """A source as a study file writes it.

    Parameters
    ----------
    parts : mapping of Cell to float
        Its cells with their weights.
    name : str
        The name of a mix.

    Returns
    -------
    str or dict
    """
    if len(parts) == 1:
        return str(next(iter(parts)))
    short = re.sub(r"[^A-Za-z0-9._-]+", "-", name).strip("-._")[:_LONGEST_NAME]
    return {"mix": {str(cell): weight for cell, weight in parts.items()}, "name": short}


def _study_of(evidence: EvidenceAtHand, options: Sequence[Option], wish: Wish, out: Path) -> Study:
    sources = [source_entry(option.cells, option.name) for option in options]
    if evidence.studies:
        study, folder = _given(evidence.studies[-1])
        relocated = relocated_study(study, folder, out).model_dump(mode="json")
        models = [model for model in relocated["models"] if model["name"] == evidence.model]
        return make_study({**relocated, "models": models, "sources": sources}, origin="next study")
    cells = sorted({*wish.targets, *(cell for option in options for cell in option.cells)})
    content = {
        "models": [{"id": evidence.model, "family": evidence.family}],
        "tasks": list(dict.fromkeys(cell.task for cell in cells)),
        "languages": list(dict.fromkeys(cell.language for cell in cells)),
        "sources": sources,
        "targets": [str(cell) for cell in wish.targets],
    }
    try:
        return make_study(content, origin="next study")
    except InputError as error:
        raise InputError(f"{error}: the measurements that come next make no study file; leave --out out") from error


def _given(study: MeasuredCells) -> tuple[Study, Path]:
    """A study that was given, and the folder that its local paths are relative to."""
    if study.plan is None or study.folder is None:
        raise InputError("recommend: the measurements go on with a study, but no study was given")
    return study.plan.study, study.folder.root


def _scored(study: Study, targets: Sequence[Cell], *, more: bool) -> Study:
    """The study with further targets, and with twice the items."""
    content = study.model_dump(mode="json")
    if targets and content["targets"] != "all":
        content["targets"] += [str(cell) for cell in targets]
    for cell in targets:
        content["tasks"] += [] if any(cell.task in str(task) for task in content["tasks"]) else [cell.task]
        content["languages"] += [] if cell.language in study.language_codes else [cell.language]
    if more and content["limits"]["test_items"] is not None:
        content["limits"]["test_items"] *= 2
    return make_study(content, origin="next study")
