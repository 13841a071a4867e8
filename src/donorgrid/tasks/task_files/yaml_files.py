"""Reads the YAML of a task file: merges ``include`` as lm-eval does, and never runs code."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from donorgrid.core.errors import InputError


@dataclass(frozen=True)
class PythonFunction:
    """A value that lm-eval would import from Python (``!function module.name``); it is named here, never run."""

    name: str

    def __str__(self) -> str:
        return f"!function {self.name}"


class _TaskLoader(yaml.SafeLoader):
    """The safe loader, which also accepts the tag of lm-eval's Python functions."""


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
    return content


def _yaml_problem(error: Exception) -> str:
    mark = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None) or str(error).splitlines()[0]
    return f"line {mark.line + 1}: {problem}" if mark else f"not valid YAML: {problem}"
