"""The steps that neither load models nor analyse, as Python users and the command line take them.

``study`` is always a study file, or a study's folder; ``out`` its folder when that is not the file's name without
``.yaml``.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from donorgrid.core.errors import InputError
from donorgrid.core.names import StudyFolder
from donorgrid.pipeline.prepare.notes import notes_of
from donorgrid.pipeline.prepare.study import prepare, study_paths
from donorgrid.pipeline.prepare.work_keys import read_workplan
from donorgrid.pipeline.run.progress import Progress, Watch
from donorgrid.plan.files import make_study, write_study
from donorgrid.plan.presets import PRESETS, study_preset
from donorgrid.store.logs import Failure

Given = str | Path


def init_study(file: Given, *, preset: str = "pocket", study: Mapping[str, Any] | None = None) -> Path:
    """Write a study file, every default in it, of a preset or of the keys in ``study``; an existing file is refused."""
    path = Path(file)
    if path.exists():
        raise InputError(f"{path}: exists already; give another name")
    content, origin = (study_preset(preset), f"preset '{preset}'") if study is None else (dict(study), "study")
    write_study(make_study(content, origin=origin), path)
    return path


def study_presets() -> dict[str, str]:
    """The studies that ``init_study`` can start from, and what each is."""
    return {name: preset.title for name, preset in PRESETS.items()}


def fetch_study(study: Given, out: Given | None = None) -> tuple[str, tuple[str, ...]]:
    """Read everything that a study names, which brings it into the hub's cache; what there is now, and notes."""
    prepared = prepare(*study_paths(Path(study), None if out is None else Path(out)))
    n_items = sum(len(cell.train) + len(cell.test) for cell in prepared.cells.values())
    weights = sum(file.stat().st_size for one in prepared.models.values() for file in one.path.glob("*.safetensors"))
    size = (
        f"{len(prepared.models)} models ({weights / 1e9:,.1f} GB of weights) and {n_items:,} items of "
        f"{len(prepared.tasks)} tasks are here"
    )
    return size, notes_of(prepared)


def study_status(study: Given, out: Given | None = None) -> tuple[Progress, list[Failure]]:
    """How far a study is, and what failed in it."""
    folder = folder_of(study, out)
    watch = Watch(read_workplan(folder), folder)
    return watch.look(), watch.failures()


def folder_of(study: Given, out: Given | None = None) -> StudyFolder:
    """The folder of a study."""
    return study_paths(Path(study), None if out is None else Path(out))[1]
