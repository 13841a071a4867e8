"""A command loads what it needs and no more; the start of the command line itself loads next to nothing."""

import ast
import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

import donorgrid
from donorgrid.exchange import TRAINERS

HEAVY = {"torch", "transformers", "peft", "scipy", "polars", "numpy", "huggingface_hub"}
PACKAGE = Path(donorgrid.__file__).parent


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


STUBS = sorted(PACKAGE.rglob("__init__.pyi"))


@pytest.mark.parametrize("stub", STUBS, ids=lambda stub: str(stub.parent.relative_to(PACKAGE)))
def test_every_name_of_a_stub_is_there_and_is_what_the_stub_says(stub):
    """The stub is the only list: the type checker and the package read the same file."""
    package = ".".join(stub.parent.relative_to(PACKAGE.parent).parts)
    names = []
    for node in ast.parse(stub.read_text(encoding="utf-8")).body:
        assert isinstance(node, ast.ImportFrom), f"{stub}: only 'from .module import name as name' may stand here"
        for alias in node.names:
            assert alias.asname == alias.name, f"{stub}: {alias.name} needs 'as {alias.name}' to be public"
            module = import_module(f"{package}.{node.module or alias.name}")
            expected = getattr(module, alias.name) if node.module else module
            assert getattr(import_module(package), alias.name) is expected
            names.append(alias.name)
    assert sorted(names) == sorted(import_module(package).__all__)


def test_modules_load_late_by_their_packages_stub_only():
    """No second mechanism: only a package with a stub attaches one, and nothing imports donorgrid's modules by name."""
    attaching = {
        path.with_suffix(".pyi") for path in PACKAGE.rglob("*.py") if "attach_stub(" in path.read_text("utf-8")
    }
    assert attaching == set(STUBS)
    by_name = [
        path for path in PACKAGE.rglob("*.py") if re.search(r"import_module\([^)]*donorgrid", path.read_text("utf-8"))
    ]
    assert by_name == []
