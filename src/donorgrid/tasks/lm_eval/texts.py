"""Texts that belong to lm-eval and are read from its installed files, without running or importing them."""

import ast
import importlib.util
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from donorgrid.core.errors import InputError
from donorgrid.tasks.task_files.keys import EXTRA_NAME
from donorgrid.tasks.task_files.parsing import safe_relative


def lm_eval_texts(named: Mapping[str, str], *, where: str) -> dict[str, str]:
    """The texts of the key ``from_lm_eval``: name to ``FILE:CONSTANT``, a file beneath lm-eval's folder ``tasks``.

    InputError when lm-eval is not installed, or has no such constant text.
    """
    return {name: _constant(reference, where) for name, reference in named.items()}


@cache
def _constant(reference: str, where: str) -> str:
    file, _, constant = reference.partition(":")
    if not constant or not file.endswith(".py") or not safe_relative(file):
        raise InputError(f"{where}: from_lm_eval is '{reference}'; expected 'FILE.py:CONSTANT' in lm-eval's tasks")
    path = _tasks_folder(where) / file
    if not path.is_file():
        raise InputError(f"{where}: the installed lm-eval has no file tasks/{file}; tested with lm-eval 0.4.13")
    for statement in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(statement, ast.Assign) and any(
            isinstance(target, ast.Name) and target.id == constant for target in statement.targets
        ):
            return _text(statement.value, reference, where)
    raise InputError(f"{where}: the installed lm-eval has no {constant} in tasks/{file}; tested with lm-eval 0.4.13")


def _text(value: ast.expr, reference: str, where: str) -> str:
    if isinstance(value, ast.Constant) and isinstance(value.value, str):
        return value.value
    raise InputError(f"{where}: from_lm_eval '{reference}' is not a plain text in the installed lm-eval")


def _tasks_folder(where: str) -> Path:
    found = importlib.util.find_spec("lm_eval")
    if found is None or not found.submodule_search_locations:
        raise InputError(f"{where}: needs a text of lm-eval, which is not installed: pip install {EXTRA_NAME}")
    return Path(next(iter(found.submodule_search_locations))) / "tasks"
