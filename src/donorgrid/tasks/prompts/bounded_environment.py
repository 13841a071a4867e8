"""A Jinja environment in which a template ends: its text, its steps and its time are bounded.

The sandbox of Jinja forbids attributes that reach Python's internals; it does not stop ``'a' * 10**9``, nested loops,
or ``center(10**9)``. Here every loop, call, filter and operator pays for what it makes before or as it makes it.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from jinja2 import StrictUndefined, nodes, pass_context
from jinja2.runtime import Context
from jinja2.sandbox import SandboxedEnvironment

from donorgrid.tasks.prompts.bounded_regex import substitute
from donorgrid.tasks.prompts.operation_sizes import call_size, filter_size, operator_size, owner_of, size_of, text_size
from donorgrid.tasks.prompts.template_budget import LONGEST_TEXT, pay


@pass_context
def _steps(_: Context, values: Iterable[Any]) -> Iterator[Any]:
    """The elements of a loop, each of which is a step."""
    for value in values:
        pay()
        yield value


@pass_context
def _concatenated(_: Context, parts: list[Any]) -> str:
    texts = [part if isinstance(part, str) else _shown(part) for part in parts]
    pay(sum(map(len, texts)))
    return "".join(texts)


def _shown(value: object) -> str:
    pay(text_size(value))
    return str(value)


def regex_replace(text: str, pattern: str, replacement: str, count: int = 0) -> str:
    """lm-eval's filter ``regex_replace``, with a time limit.

    Parameters
    ----------
    text : str
        The text to search.
    pattern : str
        A regular expression.
    replacement : str
        What replaces each match.
    count : int
        At most this many replacements; 0 means all.

    Returns
    -------
    str
    """
    return substitute(pattern, replacement, text, count=count)


class BoundedEnvironment(SandboxedEnvironment):
    """The environment in which task files' templates are compiled and rendered."""

    intercepted_binops = frozenset({"+", "*", "**", "%"})

    def __init__(self) -> None:
        super().__init__(undefined=StrictUndefined, keep_trailing_newline=True, finalize=_finalized)
        self.globals.pop("lipsum")
        self.filters["regex_replace"] = regex_replace
        for name, function in list(self.filters.items()):
            self.filters[name] = _paid_filter(name, function)
        self.filters["steps of a loop"] = _steps
        self.filters["concatenation"] = _concatenated

    @staticmethod
    def concat(parts: Iterable[str]) -> str:
        """Joins what a block of a template makes."""
        texts, total = [], 0
        for text in parts:
            texts.append(text)
            total += len(text)
            if total > LONGEST_TEXT:
                break
        pay(total)
        return "".join(texts)

    def _parse(self, source: str, name: str | None, filename: str | None) -> nodes.Template:
        template = super()._parse(source, name, filename)
        for loop in list(template.find_all(nodes.For)):
            loop.iter = nodes.Filter(loop.iter, "steps of a loop", [], [], None, None, lineno=loop.lineno)
        _replace_concatenations(template)
        return template

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        """Calculates an operator, after paying for its result."""
        pay(operator_size(operator, left, right))
        return super().call_binop(context, operator, left, right)

    def call(self, context: Context, called: Any, /, *args: Any, **kwargs: Any) -> Any:  # noqa: D102
        pay(call_size(called, args, kwargs))
        result = super().call(context, called, *args, **kwargs)
        owner = owner_of(called)
        pay(max(size_of(result), size_of(owner) if isinstance(owner, list | dict | set) and args else 0))
        return result


def _finalized(value: Any) -> Any:
    if not isinstance(value, str | int | float):
        pay(text_size(value))
    return value


def _replace_concatenations(node: nodes.Node) -> None:
    for field, value in list(node.iter_fields()):
        if isinstance(value, nodes.Concat):
            setattr(node, field, _as_filter(value))
        elif isinstance(value, list):
            setattr(node, field, [_as_filter(part) if isinstance(part, nodes.Concat) else part for part in value])
    for child in node.iter_child_nodes():
        _replace_concatenations(child)


def _as_filter(node: nodes.Concat) -> nodes.Filter:
    parts = nodes.List(node.nodes, lineno=node.lineno)
    return nodes.Filter(parts, "concatenation", [], [], None, None, lineno=node.lineno)


def _paid_filter(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    """A filter that pays for its result, and is never calculated when the template is compiled."""
    wants = getattr(function, "jinja_pass_arg", None)

    @pass_context
    def paid(context: Context, value: Any, *args: Any, **kwargs: Any) -> Any:
        given = [*args, *kwargs.values()]
        if name in ("join", "sum") and isinstance(value, Iterator):
            value = list(value)
        pay(filter_size(name, value, given))
        first = {"context": context, "eval_context": context.eval_ctx, "environment": context.environment}
        extra = () if wants is None else (first[wants.name],)
        result = function(*extra, value, *args, **kwargs)
        pay(size_of(result))
        return result

    return paid
