"""Reads the YAML of a task file: merges ``include`` as lm-eval does, and never runs code."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from donorgrid.core.errors import InputError, naming
from donorgrid.core.names import check_path
from donorgrid.core.text_files import refuse_devices
from donorgrid.core.yaml_files import E_NOTATION, YamlLoader, parse_yaml, word_as_truth

_WITH_WORDS = frozenset({"languages", "language_names", "words"})
"""Keys that lm-eval does not have: ``no`` is Norwegian there."""


@dataclass(frozen=True)
class PythonFunction:
    """A value that lm-eval would import from Python (``!function module.name``); it is named here, never run."""

    name: str

    def __str__(self) -> str:
        return f"!function {self.name}"


class _TaskLoader(YamlLoader):
    """Reads values as lm-eval does: the last of repeated keys counts, ``5e-5`` is text, Python functions are named."""

    repeated_keys = True
    yaml_implicit_resolvers = {  # noqa: RUF012  (as the class above has it)
        first: [(tag, pattern) for tag, pattern in resolvers if pattern is not E_NOTATION]
        for first, resolvers in YamlLoader.yaml_implicit_resolvers.items()
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
        with naming(f"task file {path.name}"):
            part = _read(path.parent / check_path(name, what="'include'"), above=(*above, path.resolve()))
        part.pop("task_list", None)
        merged.update(part)
    return {**merged, **content}


def _parse(path: Path) -> dict[str, Any]:
    refuse_devices(path)
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise InputError(f"task file {path}: there is no such file") from error
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"task file {path}: cannot be read as UTF-8 text ({type(error).__name__})") from error
    try:
        content = parse_yaml(text, _TaskLoader, allowed=(PythonFunction,))
    except InputError as error:
        raise InputError(f"task file {path.name}: {error}") from error
    if not isinstance(content, dict) or not all(isinstance(key, str) for key in content):
        what = "nothing" if content is None else type(content).__name__
        raise InputError(f"task file {path.name}: found {what}; expected 'key: value' lines")
    return {key: value if key in _WITH_WORDS else _as_lm_eval_reads(value) for key, value in content.items()}


def _as_lm_eval_reads(value: Any) -> Any:
    """Returns a value in which bare words such as ``yes`` are truth values."""
    if isinstance(value, dict):
        return {_as_lm_eval_reads(key): _as_lm_eval_reads(part) for key, part in value.items()}
    return [_as_lm_eval_reads(part) for part in value] if isinstance(value, list) else word_as_truth(value)
