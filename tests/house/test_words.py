"""Names and docstrings use the words of the field; a private dialect does not come back."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "src" / "donorgrid"
MODULES = sorted(PACKAGE.rglob("*.py"))
# Ruled out as names and as parts of names.
PARTS = {"filler", "fillers", "worn", "wears", "asking", "asked", "depths", "seen", "turned", "deaf", "beside", "own"}
PARTS |= {"made", "found", "thing", "things"}
# Ruled out as whole names.
NAMES = {"one", "ones", "before", "bucket", "df", "tbl", "res", "src", "tgt", "utils", "helpers", "manager"}
NAMES |= {"uplift", "improvement", "doc", "sample"}
# Attention weights are not shares; variance shares are.
PARTS_IN_MODEL_CODE = {"shares"}
MODEL_CODE = {"models", "train", "score"}
PHRASES = [
    r"\bshall\b",
    r"\bbut for\b",
    r"(?:^|[.;:]\s+)[Oo]f each\b",
    r"\b[Ww]hat all\b",
    r"\bfillers?\b",
    r"\bworn\b",
]


def names_of(tree: ast.AST) -> Iterator[str]:
    """Every name that a module binds: variables, attributes, parameters, functions, classes, aliases."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            yield node.attr
        elif isinstance(node, ast.arg):
            yield node.arg
        elif isinstance(node, ast.FunctionDef | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.alias) and node.asname:
            yield node.asname


def words_of(name: str) -> set[str]:
    return {word.lower() for word in re.split(r"_+|(?<=[a-z])(?=[A-Z])", name) if word}


def name_of(path: Path) -> str:
    return str(path.relative_to(PACKAGE))


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_names_are_words_of_the_field(path: Path) -> None:
    parts = PARTS | (PARTS_IN_MODEL_CODE if path.relative_to(PACKAGE).parts[0] in MODEL_CODE else set())
    names = set(names_of(ast.parse(path.read_text(encoding="utf-8"))))
    assert sorted(name for name in names if name.lower() in NAMES or words_of(name) & parts) == []


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_docstrings_and_comments_are_in_plain_modern_english(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef)
    docstrings = [ast.get_docstring(node) or "" for node in ast.walk(ast.parse(text)) if isinstance(node, documented)]
    prose = [*docstrings, *re.findall(r"(?:^|\s)#(.*)", text)]
    assert sorted({phrase for phrase in PHRASES for part in prose if re.search(phrase, part)}) == []
