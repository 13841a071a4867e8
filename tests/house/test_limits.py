"""Rooms stay small: files, functions and folders have limits, and public functions say what they take and give."""

import ast
import re
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "src" / "donorgrid"
MODULES = sorted(PACKAGE.rglob("*.py"))
MOST_LINES, MOST_FUNCTION_LINES, MOST_MODULES, FEWEST_MODULES = 250, 40, 20, 3
# Their parameters are the command's options, which the help documents one by one.
WITHOUT_SECTIONS = {"cli"}


def functions(path: Path) -> list[ast.FunctionDef]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]


def public_functions(path: Path) -> list[ast.FunctionDef]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return [node for node in tree.body if isinstance(node, ast.FunctionDef) and not node.name.startswith("_")]


def n_lines(function: ast.FunctionDef, path: Path) -> int:
    """The lines of a function without its docstring; of a command without its signature, which lists the options."""
    if path.relative_to(PACKAGE).parts[0] == "cli" and not function.name.startswith("_"):
        statements = function.body[1:]
        return (function.end_lineno or 0) - statements[0].lineno + 1 if statements else 0
    docstring = ast.get_docstring(function, clean=False)
    n_of_docstring = docstring.count("\n") + 1 if docstring else 0
    return (function.end_lineno or 0) - function.lineno + 1 - n_of_docstring


def name_of(path: Path) -> str:
    return str(path.relative_to(PACKAGE))


def test_no_file_is_too_long() -> None:
    lengths = {name_of(path): path.read_text(encoding="utf-8").count("\n") for path in MODULES}
    assert {name: length for name, length in lengths.items() if length > MOST_LINES} == {}


def test_no_function_is_too_long() -> None:
    lengths = {f"{name_of(path)}:{node.name}": n_lines(node, path) for path in MODULES for node in functions(path)}
    assert {name: length for name, length in lengths.items() if length > MOST_FUNCTION_LINES} == {}


def test_no_folder_has_too_many_modules_or_too_few() -> None:
    folders = sorted({path.parent for path in PACKAGE.rglob("__init__.py")})
    counts = {
        name_of(folder): len([path for path in folder.glob("*.py") if path.name != "__init__.py"]) for folder in folders
    }
    assert {name: count for name, count in counts.items() if count > MOST_MODULES} == {}
    of_packages = {
        name: count for name, count in counts.items() if len(list((PACKAGE / name).glob("*/__init__.py"))) < 3
    }
    assert {name: count for name, count in of_packages.items() if count < FEWEST_MODULES} == {}


@pytest.mark.parametrize(
    "path", [path for path in MODULES if path.relative_to(PACKAGE).parts[0] not in WITHOUT_SECTIONS], ids=name_of
)
def test_public_functions_have_sections_for_their_parameters_and_results(path: Path) -> None:
    for function in public_functions(path):
        docstring = ast.get_docstring(function) or ""
        names = [argument.arg for argument in (*function.args.args, *function.args.kwonlyargs)]
        if len(names) < 2:
            continue
        where = f"{name_of(path)}:{function.name}"
        assert "Parameters\n---" in docstring, f"{where} has no section Parameters"
        section = docstring.partition("Parameters\n")[2].partition("\n\n")[0]
        described = {
            name.strip("* ") for line in re.findall(r"^([*\w, ]+?)(?: :|$)", section, re.M) for name in line.split(",")
        }
        assert set(names) <= described, f"{where} does not describe {sorted(set(names) - described)}"
        gives_nothing = function.returns is None or ast.unparse(function.returns) == "None"
        assert gives_nothing or re.search(r"^(Returns|Yields)\n---", docstring, re.M), f"{where} has no section Returns"
