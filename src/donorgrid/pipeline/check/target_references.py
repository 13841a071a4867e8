"""What a target's reference stands for: the files of a pattern, the tasks of a preset, and a name of its own."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from donorgrid.core.errors import InputError
from donorgrid.core.literal_files import matching_files
from donorgrid.pipeline.check.request import TargetSpec
from donorgrid.plan.presets import PRESETS, study_preset
from donorgrid.tasks import catalog_names
from donorgrid.tasks.documents.file_content import FORMATS, data_suffix
from donorgrid.tasks.lm_eval.named_tasks import LM_EVAL

_WILDCARDS = frozenset("*?[")


def is_data_file(reference: str) -> bool:
    """True if a reference is the path of a plain data file, by its suffix."""
    return data_suffix(Path(reference)) in FORMATS and not reference.startswith(LM_EVAL)


def expand(spec: TargetSpec, folder: Path) -> Iterator[TargetSpec]:
    """The files of a pattern, the tasks of a preset, or the target itself.

    Parameters
    ----------
    spec : TargetSpec
        The target as written.
    folder : Path
        The folder that relative patterns are relative to.

    Yields
    ------
    TargetSpec
        With a reference to one file or one task.

    Raises
    ------
    InputError
        If no file matches a pattern.
    """
    if is_data_file(spec.reference) and _WILDCARDS & set(spec.reference):
        absolute = Path(spec.reference).is_absolute()
        paths = matching_files(folder, spec.reference)
        if not paths:
            start = Path(Path(spec.reference).anchor) if absolute else folder
            raise InputError(f"target '{spec.reference}': no file of that form in {start}")
        yield from (replace(spec, reference=str(path if absolute else path.relative_to(folder))) for path in paths)
    elif spec.reference in PRESETS and spec.reference not in catalog_names():
        preset = study_preset(spec.reference)
        languages = spec.languages or tuple(preset["languages"])
        yield from (replace(spec, reference=task, languages=languages) for task in preset["tasks"])
    else:
        yield spec


def unique_name(name: str, reference: str, folder: Path, names: dict[str, str]) -> str:
    """A name for a target that no other file or task has.

    Parameters
    ----------
    name : str
        The preferred name.
    reference : str
        The file or task.
    folder : Path
        The folder that relative paths are relative to.
    names : dict of str to str
        The names in use, each with its file or task. The chosen name is added.

    Returns
    -------
    str
        The preferred name, or with the name of its folder before it, or with a number after it.
    """
    path = folder / reference
    identity = str(path.resolve()) if path.exists() else reference
    parent = path.resolve().parent.name
    numbered = (f"{name}-{number}" for number in range(2, len(names) + 3))
    candidates = (name, f"{parent}-{name}", *numbered)
    chosen = next(candidate for candidate in candidates if names.get(candidate, identity) == identity)
    names[chosen] = identity
    return chosen
