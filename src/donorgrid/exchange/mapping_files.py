"""Reads a mapping file: YAML with the keys of ``LmEvalMapping`` or ``TableMapping``."""

import re
import reprlib
from collections.abc import Hashable
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import ValidationError

from donorgrid.core.errors import InputError, suggestion
from donorgrid.exchange.mapping import LmEvalMapping, TableMapping

_Mapping = TypeVar("_Mapping", LmEvalMapping, TableMapping)


_LONE_SURROGATE = re.compile(r"[\ud800-\udfff]")
_OTHER_TEXT = ("tag:yaml.org,2002:bool", "tag:yaml.org,2002:timestamp")


class _Loader(yaml.SafeLoader):
    """A safe loader that refuses duplicate keys.

    As in YAML 1.2, only ``true`` and ``false`` are truth values: ``on`` may name a column, ``no`` is Norwegian. Dates
    stay text.
    """

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        keys: set[Hashable] = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if isinstance(key, Hashable):
                if key in keys:
                    raise InputError(f"line {key_node.start_mark.line + 1}: key '{key}' stands twice")
                keys.add(key)
        return super().construct_mapping(node, deep)

    def construct_scalar(self, node: yaml.ScalarNode | yaml.MappingNode) -> Any:
        text = super().construct_scalar(node)
        if isinstance(text, str) and _LONE_SURROGATE.search(text):
            raise InputError(f"line {node.start_mark.line + 1}: holds half of a character (a lone surrogate)")
        return text


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag not in _OTHER_TEXT]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile(r"(?i:true|false)\Z"), list("tTfF"))


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
    try:
        written = yaml.load(path.read_text(encoding="utf-8"), _Loader)  # noqa: S506 - a SafeLoader
    except FileNotFoundError:
        raise InputError(f"mapping file {path}: there is no such file") from None
    except (IsADirectoryError, UnicodeDecodeError) as error:
        raise InputError(f"mapping file {path}: cannot be read as UTF-8 text ({type(error).__name__})") from error
    except InputError as error:
        raise InputError(f"mapping file {path}: {error}") from None
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise InputError(f"mapping file {path}: {_yaml_problem(error)}") from error
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
    problem = next((error for error in problems if error["type"] == "extra_forbidden"), problems[0])
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


def _yaml_problem(error: Exception) -> str:
    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark is not None:
        return f"not YAML: line {error.problem_mark.line + 1}: {error.problem}"
    return f"not YAML: {str(error).splitlines()[0] if str(error) else type(error).__name__}"
