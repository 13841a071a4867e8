"""Reads and writes study files: safe YAML without repeated keys; each mistake gives one line."""

from pathlib import Path

import yaml
from pydantic import BaseModel, ValidationError

from donorgrid.core.atomic_files import whole_file
from donorgrid.core.errors import InputError, suggestion
from donorgrid.core.text_files import refuse_devices
from donorgrid.core.yaml_files import parse_yaml
from donorgrid.plan.recipes import RecipeSpec
from donorgrid.plan.scoring import Scoring
from donorgrid.plan.study import (
    CellSpec,
    ControlSpec,
    Limits,
    MixSpec,
    ModelSpec,
    Study,
    TaskSpec,
)

_OBJECTS: dict[str, type[BaseModel]] = {
    "models": ModelSpec,
    "tasks": TaskSpec,
    "recipes": RecipeSpec,
    "limits": Limits,
    "scoring": Scoring,
}
_KINDS: dict[str, type[BaseModel]] = {"cell": CellSpec, "mix": MixSpec, "control": ControlSpec}
_LONGEST_VALUE = 60


def read_study(path: Path) -> Study:
    """The study in a YAML file. InputError, one line with file, key and what is allowed, when it cannot be used."""
    refuse_devices(path)
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise InputError(f"{path}: no such file; 'donorgrid init' writes one") from None
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: cannot be read as UTF-8 text: {error}") from error
    try:
        written = parse_yaml(text)
    except InputError as error:
        raise InputError(f"{path}: {error}") from error
    return make_study(written, origin=str(path))


def make_study(written: object, *, origin: str) -> Study:
    """Make a study from plain data.

    Parameters
    ----------
    written
        The content of a study file: key to value.
    origin
        The file's name, for messages.

    Returns
    -------
    Study

    Raises
    ------
    InputError
        In one line with file, key and what is allowed.
    """
    if not isinstance(written, dict):
        raise InputError(f"{origin}: a study is a mapping with the keys {list(Study.model_fields)}")
    try:
        return Study.model_validate(written)
    except ValidationError as error:
        raise InputError(f"{origin}: {_first_problem(error)}") from None


def write_study(study: Study, path: Path) -> None:
    """Write a study with every default written out; reading it back gives an equal study.

    Parameters
    ----------
    study
        The study.
    path
        The file to write.
    """
    with whole_file(path) as unfinished:
        text = yaml.safe_dump(study.model_dump(mode="json"), sort_keys=False, allow_unicode=True)
        unfinished.write_text(text, encoding="utf-8")


def _first_problem(error: ValidationError) -> str:
    problems = error.errors(include_url=False)
    # A misspelt key also makes its right spelling missing: the unknown key is what the user must see.
    problem = next((each for each in problems if each["type"] == "extra_forbidden"), problems[0])
    location, kind = problem["loc"], problem["type"]
    where = _written(location)
    if kind == "extra_forbidden":
        allowed = list(_object_at(location).model_fields)
        return f"{where}: unknown key; allowed are {allowed}{suggestion(str(location[-1]), allowed)}"
    if kind == "missing":
        return f"{where}: is missing"
    message = problem["msg"].removeprefix("Value error, ")
    if not location or kind == "value_error":
        return f"{where}: {message}" if where else message
    value = repr(problem["input"])
    near = suggestion(str(problem["input"]), str(problem.get("ctx", {}).get("expected", "")).split("'")[1::2])
    return f"{where}: {message}, found {value[:_LONGEST_VALUE]}{near}"


def _object_at(location: tuple[int | str, ...]) -> type[BaseModel]:
    kinds = [_KINDS[part] for part in location[:-1] if part in _KINDS]
    if kinds:
        return kinds[-1]
    return _OBJECTS.get(str(location[0]), CellSpec) if len(location) > 1 else Study


def _written(location: tuple[int | str, ...]) -> str:
    """``sources[0].mix`` for pydantic's ("sources", "list", 0, "mix", "mix"): the tags of its unions are left out."""
    text = ""
    for former, part in zip(("", *location), location, strict=False):
        is_kind_tag = part in _KINDS and isinstance(former, int)
        if part in ("word", "list", "[key]") or is_kind_tag:
            continue
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else str(part)
    return text
