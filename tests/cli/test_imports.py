"""A command loads what it needs and no more; the start of the command line itself loads next to nothing."""

import ast
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

import donorgrid.cli
from donorgrid.exchange import TRAINERS

HEAVY = {"torch", "transformers", "peft", "scipy", "polars", "numpy", "huggingface_hub"}
ROOM = Path(donorgrid.cli.__file__).parent


def loaded_by(*arguments, cwd=None):
    """The packages of ``HEAVY`` that a command has loaded when it is done, and its output."""
    code = (
        "import sys\nfrom donorgrid.cli import main\n"
        f"sys.argv = ['donorgrid', *{arguments!r}]\n"
        "try: main()\n"
        "except SystemExit as end: code = end.code\n"
        f"print('loaded:', *sorted({HEAVY!r} & set(sys.modules)), file=sys.stderr)\n"
        "sys.exit(code)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=cwd, check=True)
    return set(done.stderr.splitlines()[-1].split()[1:]), done.stdout


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["report", "--help"], ["check", "--help"]])
def test_help_loads_nothing_heavy(arguments):
    assert loaded_by(*arguments)[0] == set()


def test_a_study_file_is_written_without_the_analysis_and_without_models(tmp_path):
    loaded, _ = loaded_by("init", "study.yaml", cwd=tmp_path)
    assert (tmp_path / "study.yaml").exists()
    assert not loaded & {"torch", "transformers", "peft", "scipy"}


def test_help_names_every_trainer():
    """The list stands in the help's text, so that help need not load the trainers."""
    assert f"one of {', '.join(TRAINERS)}" in " ".join(loaded_by("export", "training", "--help")[1].split())


def modules_named(path):
    """({name: module} as the type checker reads it, {name: module} as it is loaded later) of a command's module."""
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            imports = [one for one in node.body if isinstance(one, ast.ImportFrom)]
            checked = {one.asname or one.name: f"{node.module}.{one.name}" for node in imports for one in node.names}
            pairs = [(one.targets[0], one.value) for one in node.orelse]
            flat = [
                pair
                for target, value in pairs
                for pair in (
                    zip(target.elts, value.elts, strict=True) if isinstance(target, ast.Tuple) else [(target, value)]
                )
            ]
            return checked, {name.id: f"donorgrid.{call.args[0].value}" for name, call in flat}
    return {}, {}


@pytest.mark.parametrize("path", sorted(ROOM.glob("*.py")), ids=lambda path: path.stem)
def test_what_is_loaded_later_is_what_the_type_checker_reads(path):
    checked, later = modules_named(path)
    assert later == {name: checked[name] for name in later}
    assert all(find_spec(module) is not None for module in later.values())
    modules = {name for name, module in checked.items() if module.startswith("donorgrid") and is_module(module)}
    assert modules <= set(later) | {"study"}  # cli/progress.py reads a type of pipeline/progress.py only


def is_module(name):
    parent, _, _ = name.rpartition(".")
    return find_spec(parent).submodule_search_locations is not None and find_spec(name) is not None
