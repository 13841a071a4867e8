"""Reads texts that belong to lm-eval from its installed files, without importing or running them."""

import ast
import importlib.util
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from donorgrid.core.errors import InputError
from donorgrid.tasks.task_files.keys import EXTRA_NAME
from donorgrid.tasks.task_files.parsing import safe_relative


def lm_eval_texts(named: Mapping[str, str], *, where: str) -> dict[str, str]:
    """Read the texts of the key ``from_lm_eval``.

    Parameters
    ----------
    named
        Name to ``FILE.py:CONSTANT``, a file beneath lm-eval's folder ``tasks``.
    where
        The task file's name, for messages.

    Returns
    -------
    dict of str to str
        Name to text.

    Raises
    ------
    InputError
        If lm-eval is not installed, or has no constant text of this name.
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
    package = importlib.util.find_spec("lm_eval")
    if package is None or not package.submodule_search_locations:
        raise InputError(f"{where}: needs a text of lm-eval, which is not installed: pip install {EXTRA_NAME}")
    return Path(next(iter(package.submodule_search_locations))) / "tasks"
