"""Reads a mapping file: YAML with the keys of ``LmEvalMapping`` or ``TableMapping``."""

import reprlib
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from donorgrid.core.errors import InputError, suggestion
from donorgrid.core.text_files import refuse_devices
from donorgrid.core.yaml_files import parse_yaml
from donorgrid.exchange.mapping import LmEvalMapping, TableMapping

_Mapping = TypeVar("_Mapping", LmEvalMapping, TableMapping)


def read_mapping(path: Path, kind: type[_Mapping]) -> _Mapping:
    """Reads a mapping file.

    Parameters
    ----------
    path : Path
        A YAML file.
    kind : type
        ``LmEvalMapping`` or ``TableMapping``.

    Returns
    -------
    LmEvalMapping or TableMapping
        The mapping.

    Raises
    ------
    InputError
        If the file cannot be read, or a key is unknown, duplicate or has a wrong value.
    """
    refuse_devices(path)
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise InputError(f"mapping file {path}: there is no such file") from None
    except (IsADirectoryError, UnicodeDecodeError) as error:
        raise InputError(f"mapping file {path}: cannot be read as UTF-8 text ({type(error).__name__})") from error
    try:
        written = parse_yaml(text)
    except InputError as error:
        raise InputError(f"mapping file {path}: {error}") from error
    if not isinstance(written, dict):
        raise InputError(f"mapping file {path}: expected the keys {list(kind.model_fields)}")
    return make_mapping(written, kind, origin=f"mapping file {path}")


def make_mapping(written: dict[Any, Any], kind: type[_Mapping], *, origin: str) -> _Mapping:
    """Validates a mapping.

    Parameters
    ----------
    written : dict
        The mapping as plain data.
    kind : type
        ``LmEvalMapping`` or ``TableMapping``.
    origin : str
        Where the mapping comes from, for messages.

    Returns
    -------
    LmEvalMapping or TableMapping
        The mapping.

    Raises
    ------
    InputError
        If a key is unknown or has a wrong value.
    """
    try:
        return kind.model_validate(written)
    except ValidationError as error:
        raise InputError(f"{origin}: {_first_problem(error, kind)}") from None


def _first_problem(invalid: ValidationError, kind: type[_Mapping]) -> str:
    problems = invalid.errors(include_url=False)
    telling = (error for kind in ("extra_forbidden", "value_error") for error in problems if error["type"] == kind)
    problem = next(telling, problems[0])
    where = ".".join(
        str(part) for part in problem["loc"] if str(part) not in ("str", "MixEntry", "ControlEntry", "TaskEntry")
    )
    if problem["type"] == "extra_forbidden":
        allowed = list(kind.model_fields) if len(problem["loc"]) == 1 else []
        said = f"; allowed are {allowed}{suggestion(str(problem['loc'][-1]), allowed)}" if allowed else ""
        return f"{where}: unknown key{said}"
    message = problem["msg"].removeprefix("Value error, ")
    if problem["type"] in ("missing", "value_error"):
        return f"{where}: {'is missing' if problem['type'] == 'missing' else message}"
    return f"{where}: {message}, found {reprlib.repr(problem['input'])[:60]}"
