"""Benchmarks, examples and tools name modules and functions that are there: no type checker reads them."""

import ast
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SCRIPTS = sorted(path for folder in ("benchmarks", "examples", "tools") for path in (ROOT / folder).rglob("*.py"))


def imports_of(path: Path) -> list[tuple[str, str]]:
    """(module, name) of everything that a script imports from donorgrid."""
    nodes = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
    froms = [node for node in nodes if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("donorgrid")]
    return [(node.module or "", alias.name) for node in froms for alias in node.names]


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_a_script_imports_what_the_package_has(path: Path) -> None:
    for module, name in imports_of(path):
        assert find_spec(module) is not None, f"{path.name}: no module {module}"
        has_name = hasattr(import_module(module), name) or find_spec(f"{module}.{name}") is not None
        assert has_name, f"{path.name}: {module} has no {name}"


def test_there_are_scripts_to_check() -> None:
    assert sum(len(imports_of(path)) for path in SCRIPTS) > 20
