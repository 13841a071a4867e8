"""Reads the YAML of a task file: merges ``include`` as lm-eval does, and never runs code."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from donorgrid.core.errors import InputError

_DEEPEST = 30
_MOST_VALUES = 100_000
_LONGEST_NUMBER = 64


@dataclass(frozen=True)
class PythonFunction:
    """A value that lm-eval would import from Python (``!function module.name``); it is named here, never run."""

    name: str

    def __str__(self) -> str:
        return f"!function {self.name}"


class _TaskLoader(yaml.SafeLoader):
    """The safe loader, which also accepts the tag of lm-eval's Python functions and leaves dates as they are."""

    yaml_implicit_resolvers = {  # noqa: RUF012  (as the class above has it)
        first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }


def _function(loader: yaml.SafeLoader, node: yaml.Node) -> PythonFunction:
    if not isinstance(node, yaml.ScalarNode):
        raise yaml.constructor.ConstructorError(None, None, "!function takes one name", node.start_mark)
    return PythonFunction(str(loader.construct_scalar(node)))


_TaskLoader.add_constructor("!function", _function)


def read_task_yaml(path: Path) -> dict[str, Any]:
    """Returns the keys of a task file, over those of the files that it includes; InputError if one cannot be read."""
    return _read(path, above=())


def _read(path: Path, *, above: tuple[Path, ...]) -> dict[str, Any]:
    if path.resolve() in above:
        raise InputError(f"task file {path.name}: 'include' leads back to itself")
    content = _parse(path)
    included = content.pop("include", [])
    if not isinstance(included, str | list) or not all(isinstance(name, str) for name in included):
        raise InputError(f"task file {path.name}: 'include' is {included!r}; expected a file name or a list of them")
    merged: dict[str, Any] = {}
    for name in [included] if isinstance(included, str) else included:
        part = _read(path.parent / name, above=(*above, path.resolve()))
        part.pop("task_list", None)
        merged.update(part)
    return {**merged, **content}


def _parse(path: Path) -> dict[str, Any]:
    try:
        # A subclass of the safe loader.
        content = yaml.load(path.read_text(encoding="utf-8"), Loader=_TaskLoader)  # noqa: S506
    except FileNotFoundError as error:
        raise InputError(f"task file {path}: there is no such file") from error
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"task file {path}: cannot be read as UTF-8 text ({type(error).__name__})") from error
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise InputError(f"task file {path.name}: {_yaml_problem(error)}") from error
    if not isinstance(content, dict) or not all(isinstance(key, str) for key in content):
        what = "nothing" if content is None else type(content).__name__
        raise InputError(f"task file {path.name}: found {what}; expected 'key: value' lines")
    for key, value in content.items():
        _check(value, f"task file {path.name}: key '{key}'")
    return content


def _check(value: Any, where: str) -> None:
    """InputError for values that no task file needs: too deep, too many, of another type, or no text."""
    n_values, waiting = 0, [(value, 0)]
    while waiting:
        part, depth = waiting.pop()
        n_values += 1
        if depth > _DEEPEST or n_values > _MOST_VALUES:
            raise InputError(
                f"{where}: its lists and mappings contain themselves, are nested deeper than {_DEEPEST} levels, or "
                f"have more than {_MOST_VALUES:,} values"
            )
        if isinstance(part, dict):
            waiting += [(inner, depth + 1) for pair in part.items() for inner in pair]
        elif isinstance(part, list):
            waiting += [(inner, depth + 1) for inner in part]
        else:
            _check_plain(part, where)


def _check_plain(value: Any, where: str) -> None:
    if isinstance(value, str):
        try:
            value.encode("utf-8")
        except UnicodeEncodeError as error:
            raise InputError(f"{where}: half of a surrogate pair at character {error.start} is no text") from None
    elif isinstance(value, int) and value.bit_length() > _LONGEST_NUMBER:
        raise InputError(f"{where}: a number has more than {_LONGEST_NUMBER} bits")
    elif not isinstance(value, int | float | PythonFunction | None):
        raise InputError(f"{where}: found a {type(value).__name__}; expected text, numbers, lists and mappings")


def _yaml_problem(error: Exception) -> str:
    mark = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None) or str(error).splitlines()[0]
    return f"line {mark.line + 1}: {problem}" if mark else f"not valid YAML: {problem}"
