"""The house is as its plan says: one way for the data, one picture, no torch where none is needed."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "src" / "donorgrid"
SHARED = {"core", "statistics", "facts", "models"}
READERS = {"tasks", "store", "pocket", "exchange"}
MAY_IMPORT = {
    "core": set(),
    "statistics": {"core"},
    "facts": {"core"},
    "models": {"core", "facts"},
    "cli": {
        "advise",
        "analyse",
        "bench",
        "check",
        "core",
        "exchange",
        "facts",
        "pipeline",
        "pocket",
        "simulate",
        "statistics",
        "store",
    },
    "bench": {"core", "models", "train", "score"},
    "pipeline": None,
}
"""Rooms with a rule of their own (None: any); every other room is a stage, which may import the shared rooms only."""


def rooms() -> list[str]:
    return sorted(path.parent.name for path in PACKAGE.glob("*/__init__.py"))


def imported_rooms(room: str) -> set[str]:
    found = set()
    for path in (PACKAGE / room).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = []
            if isinstance(node, ast.ImportFrom) and node.module:
                names = [node.module, *(f"{node.module}.{one.name}" for one in node.names)]
            elif isinstance(node, ast.Import):
                names = [one.name for one in node.names]
            parts = [name.split(".") for name in names]
            found |= {part[1] for part in parts if part[0] == "donorgrid" and len(part) > 1}
    return found & set(rooms()) - {room}


@pytest.mark.parametrize("room", rooms())
def test_stages_import_no_stage(room: str) -> None:
    allowed = MAY_IMPORT.get(room, SHARED)
    if allowed is not None:
        assert imported_rooms(room) <= allowed


@pytest.mark.parametrize("room", rooms())
def test_no_room_imports_its_own_modules_inside_functions(room: str) -> None:
    for path in (PACKAGE / room).rglob("*.py"):
        for function in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(function, ast.FunctionDef):
                inner = [node for node in ast.walk(function) if isinstance(node, ast.ImportFrom)]
                assert not [node.module for node in inner if (node.module or "").startswith("donorgrid")], path


def test_analysis_and_report_import_without_torch() -> None:
    """The light path: every module of these rooms, and the step that analyses, load none of the heavy packages."""
    light = ("check", "core", "statistics", "facts", "analyse", "report", "store", "exchange", "simulate")
    modules = [
        ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts).removesuffix(".__init__")
        for room in light
        for path in sorted((PACKAGE / room).rglob("*.py"))
    ]
    modules += [
        f"donorgrid.pipeline.{step}" for step in ("prepare.new_study", "analyse.analyse_study", "check.run_check")
    ]
    modules += ["donorgrid.cli.app", "donorgrid"]
    code = (
        "import sys\n"
        "from importlib import import_module\n"
        f"for name in {modules!r}: import_module(name)\n"
        "import donorgrid; donorgrid.analyse_study; donorgrid.regime\n"
        "sys.exit(', '.join({'torch', 'transformers', 'peft', 'datasets', 'lm_eval'} & set(sys.modules)) or 0)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_the_picture_in_the_architecture_matches_the_disk() -> None:
    text = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    (picture,) = re.findall(r"```\nsrc/donorgrid/\n(.*?)```", text, flags=re.DOTALL)
    drawn = [line.split()[0] for line in picture.splitlines() if re.match(r"  \S", line)]
    there = [f"{room}/" for room in rooms()]
    assert sorted(drawn) == there


def test_the_regime_rule_stands_once() -> None:
    """Names of regimes may be read anywhere; only core/regimes.py says which pair is which."""
    deciding = re.compile(r"""["'](MT|CT)["'] *(if|\+)|["']-?(ML|CL)["'] *(if|\+)""")
    found = [path for path in PACKAGE.rglob("*.py") if deciding.search(path.read_text(encoding="utf-8"))]
    assert not [path for path in found if path.name != "regimes.py"]


def test_every_public_name_of_the_package_is_there() -> None:
    import donorgrid

    assert all(getattr(donorgrid, name) is not None for name in donorgrid.__all__)
    assert set(dir(donorgrid)) == set(donorgrid.__all__)
    with pytest.raises(AttributeError, match="No donorgrid attribute no_such"):
        donorgrid.no_such  # noqa: B018


def test_one_module_hands_files_to_polars() -> None:
    """Polars takes ``[``, ``*`` and ``?`` of a path for a pattern, and reads siblings without a word."""
    readers = re.compile(r"\b(pl|polars)\.(read|scan)_\w+\(")
    found = [path for path in PACKAGE.rglob("*.py") if readers.search(path.read_text(encoding="utf-8"))]
    assert [path.relative_to(PACKAGE).as_posix() for path in found] == ["core/literal_files.py"]


def test_one_function_makes_the_console() -> None:
    """A console of rich reads ``[/b]`` in a name as markup unless it is told not to; one function tells it."""
    makers = [
        path for path in PACKAGE.rglob("*.py") if re.search(r"\b_?[A-Za-z]*Console\(", path.read_text(encoding="utf-8"))
    ]
    assert [path.relative_to(PACKAGE).as_posix() for path in makers] == ["cli/show.py"]
    printers = re.compile(r"markup=True|from_markup|from rich import print|rich\.print\(")
    assert not [path for path in PACKAGE.rglob("*.py") if printers.search(path.read_text(encoding="utf-8"))]
