"""The analysis reads in one direction, and makes exactly the tables that are declared."""

import ast
from pathlib import Path

import pytest

from donorgrid.analyse.registry import MAKERS
from donorgrid.core import tables
from donorgrid.core.tables import Table
from donorgrid.report.known_tables import DECLARED

ANALYSE = Path(__file__).parents[2] / "src" / "donorgrid" / "analyse"
EARLIER = {"reading": set(), "errors": {"reading"}, "tables": {"reading", "errors"}}
"""Part of the analysis -> the parts that it may import."""
NOT_ANALYSED = {"ITEM_ANSWERS", "DELTAS", "DELTAS_BY_SEED", "POWER"}
"""Declared tables that are read, or made by another command."""


@pytest.mark.parametrize("part", EARLIER)
def test_each_part_of_the_analysis_imports_earlier_parts_only(part: str) -> None:
    for path in (ANALYSE / part).glob("*.py"):
        imported = {
            node.module.split(".")[2]
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("donorgrid.analyse.")
        }
        assert imported <= {part, "settings"} | EARLIER[part], path


def test_every_declared_table_is_made_and_every_made_table_is_declared() -> None:
    declared = {name: value for name, value in vars(tables).items() if isinstance(value, Table)}
    expected = {name.lower() for name in declared.keys() - NOT_ANALYSED}
    made = [(name, table) for maker in MAKERS for name, table in maker.tables.items()]
    assert sorted(name for name, _ in made) == sorted(expected)
    assert all(declared[name.upper()] is table for name, table in made)


def test_every_module_that_makes_tables_is_registered() -> None:
    modules = {path.stem for path in (ANALYSE / "tables").glob("*.py") if "\nTABLES = (" in path.read_text("utf-8")}
    registry = ast.parse((ANALYSE / "registry.py").read_text(encoding="utf-8"))
    used = {node.value.id for node in ast.walk(registry) if isinstance(node, ast.Attribute) and node.attr == "TABLES"}
    assert modules == used


def test_the_report_knows_tables_by_the_names_they_are_made_under() -> None:
    made = {name: table for maker in MAKERS for name, table in maker.tables.items()}
    known = {name: table for name, table in DECLARED.items() if name != "deltas"}
    assert known
    assert {name: made.get(name) for name in known} == known
