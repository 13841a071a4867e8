"""Harm is decided in one place: no file but statistics/harm.py compares a delta, or a bound of it, with the limit."""

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "src" / "donorgrid"
RULE = PACKAGE / "statistics" / "harm.py"
ORDER = (ast.Lt, ast.LtE, ast.Gt, ast.GtE)
METHODS = {"lt", "le", "gt", "ge", "less", "less_equal", "greater", "greater_equal", "is_between"}
DELTAS = ("delta", "specific", "_pp", "loss", "change", "diff", "gain")


def names(node: ast.AST) -> set[str]:
    """Every identifier and text in an expression, in lower case."""
    found = set()
    for part in ast.walk(node):
        if isinstance(part, ast.Name):
            found.add(part.id.lower())
        elif isinstance(part, ast.Attribute):
            found.add(part.attr.lower())
        elif isinstance(part, ast.Constant) and isinstance(part.value, str):
            found.add(part.value.lower())
    return found


def limit_names(tree: ast.AST) -> set[str]:
    """Identifiers with "limit" in them, and variables that arithmetic makes of these."""
    limits = {name for name in names(tree) if "limit" in name}
    for node in ast.walk(tree):
        plain = isinstance(node, ast.Assign) and isinstance(node.value, ast.UnaryOp | ast.BinOp | ast.Name)
        if plain and names(node.value) & limits:
            limits |= {target.id.lower() for target in node.targets if isinstance(target, ast.Name)}
    return limits


def comparisons(tree: ast.AST) -> list[ast.AST]:
    found: list[ast.AST] = []
    for node in ast.walk(tree):
        ordered = isinstance(node, ast.Compare) and any(isinstance(op, ORDER) for op in node.ops)
        by_method = isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in METHODS
        if ordered or by_method:
            found.append(node)
    return found


def decides_harm(node: ast.AST, limits: set[str]) -> bool:
    """True if a comparison sets the limit, or its negative, against something that varies by cell."""
    mentioned = names(node)
    negated = any(
        isinstance(part, ast.UnaryOp) and isinstance(part.op, ast.USub) and names(part.operand) & limits
        for part in ast.walk(node)
    )
    of_cells = any(word in name for name in mentioned - limits for word in DELTAS)
    return bool(mentioned & limits) and (negated or of_cells)


def harm_decisions(text: str) -> list[int]:
    """The lines of a module that compare a delta with the harm limit."""
    tree = ast.parse(text)
    limits = limit_names(tree)
    return [node.lineno for node in comparisons(tree) if decides_harm(node, limits)]


def test_no_other_module_compares_a_delta_with_the_limit() -> None:
    others = [path for path in PACKAGE.rglob("*.py") if path != RULE]
    assert not {path: lines for path in others if (lines := harm_decisions(path.read_text(encoding="utf-8")))}


def test_the_rule_itself_is_recognised() -> None:
    assert harm_decisions(RULE.read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    "line",
    [
        "harmed = delta_pp <= -limit",
        "lost = (deltas < -settings.harm_limit_pp).sum()",
        "flag = pl.col('delta_pp') <= -limit_pp",
        "flag = pl.col('delta_pp').le(-limit_pp)",
        "flag = delta_pp + limit_pp <= 0",
        "flag = -harm_limit_pp >= values",
        "edge = -limit_pp\nflag = delta_pp <= edge",
        "flag = np.less_equal(specific, -limit)",
        "flag = abs(loss_pp) >= limit_pp",
    ],
)
def test_a_second_harm_rule_is_found(line: str) -> None:
    assert harm_decisions(line)


@pytest.mark.parametrize("line", ["ok = 0 < harm_limit_pp <= 100", "ok = limit != other_limit", "ok = size <= limit"])
def test_other_uses_of_a_limit_are_allowed(line: str) -> None:
    assert not harm_decisions(line)
