"""Writing a study file to start from."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from donorgrid.core.errors import InputError
from donorgrid.plan.files import make_study, write_study
from donorgrid.plan.presets import PRESETS, study_preset


def init_study(file: str | Path, *, preset: str = "pocket", study: Mapping[str, Any] | None = None) -> Path:
    """Write a study file with every default written out.

    Parameters
    ----------
    file : str or Path
        The file to write.
    preset : str
        The preset to start from; a name of ``study_presets``.
    study : mapping, optional
        The keys of a study; they replace the preset.

    Returns
    -------
    Path
        The written file.

    Raises
    ------
    InputError
        If the file exists, or the keys are no valid study.
    """
    path = Path(file)
    if path.exists():
        raise InputError(f"{path}: exists already; give another name")
    content, origin = (study_preset(preset), f"preset '{preset}'") if study is None else (dict(study), "study")
    write_study(make_study(content, origin=origin), path)
    return path


def study_presets() -> dict[str, str]:
    """The titles of the studies that ``init_study`` can start from, by preset name."""
    return {name: preset.title for name, preset in PRESETS.items()}
