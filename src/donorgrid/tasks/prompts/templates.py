"""Templates as lm-eval has them: sandboxed Jinja, an undefined name is an error, a column's name means its value.

The rules are those of lm-eval 0.4.13 (``lm_eval.api.task.ConfigurableTask.doc_to_text`` and its siblings), with one
difference: where lm-eval warns and scores the document as wrong, the document is invalid here, with a reason.
"""

import ast
import re
from collections.abc import Mapping
from functools import cache
from typing import Any

from jinja2 import Template, TemplateError, meta

from donorgrid.core.errors import DonorgridError, InputError, suggestion
from donorgrid.tasks.prompts.bounded_environment import BoundedEnvironment
from donorgrid.tasks.prompts.template_budget import BUDGET, Budget, TemplateLimit

Document = Mapping[str, Any]
_ERRORS_IN_TEMPLATES = (
    *(TemplateError, ArithmeticError, AttributeError, LookupError, TypeError, ValueError, re.error),
    *(RuntimeError, MemoryError, AssertionError),  # asserted by Jinja's filters
)
_ERRORS_IN_SYNTAX = (TemplateError, SyntaxError, ValueError, OverflowError, RecursionError, MemoryError)


class InvalidDocument(DonorgridError):
    """A document cannot become an item; the message is the reason that the counts of its cell list."""


@cache
def _environment() -> BoundedEnvironment:
    return BoundedEnvironment()


@cache
def compile_template(text: str) -> Template:
    """Returns the compiled template; InputError if its syntax is wrong."""
    try:
        return _environment().from_string(text)
    except _ERRORS_IN_SYNTAX as error:
        raise InputError(f"template {_short(text)}: {_one_line(error)}") from error


@cache
def names_in(text: str) -> frozenset[str]:
    """Returns the names that a template needs from its document."""
    return frozenset(meta.find_undeclared_variables(_environment().parse(text)))


def render(template: str, document: Document) -> str:
    """Render a template with the columns of a document as variables.

    Parameters
    ----------
    template
        The text of the template.
    document
        Column name to value.

    Returns
    -------
    str

    Raises
    ------
    InputError
        If the syntax of the template is wrong, or it exceeds a limit on its text, steps or time.
    InvalidDocument
        If the template cannot be rendered for this document, as when a column is missing.
    """
    compiled = compile_template(template)
    token = BUDGET.set(Budget())
    try:
        text = compiled.render(document)
        text.encode("utf-8")
        return text
    except UnicodeEncodeError as error:
        raise InvalidDocument(
            f"template {_short(template)}: half of a character (a lone surrogate) is no text"
        ) from error
    except TemplateLimit as error:
        raise TemplateLimit(f"template {_short(template)}: {error}") from error
    except _ERRORS_IN_TEMPLATES as error:
        missing = re.match(r"'(\w+)' is undefined", str(error))
        near = f"; its columns are {', '.join(document)}{suggestion(missing[1], document)}" if missing else ""
        raise InvalidDocument(f"template {_short(template)}: {_one_line(error)}{near}") from error
    finally:
        BUDGET.reset(token)


def text_of(spec: str, document: Document, *, key: str) -> str:
    """Get a text from a document.

    Parameters
    ----------
    spec
        A column's name or a template.
    document
        Column name to value.
    key
        The key of the task file, for messages.

    Returns
    -------
    str

    Raises
    ------
    InvalidDocument
        If the column holds no text, or the template cannot be rendered.
    """
    value = document[spec] if spec in document else render(spec, document)
    if not isinstance(value, str):
        raise InvalidDocument(f"{key}: expected text, found {_short(value)}")
    return value


def choices_of(spec: str | tuple[str, ...], document: Document) -> tuple[str, ...]:
    """List the choices of a document.

    Parameters
    ----------
    spec
        A fixed list, a column that holds a list, or a template that renders a Python list of texts.
    document
        Column name to value.

    Returns
    -------
    tuple of str
        Two or more texts, none of them blank.

    Raises
    ------
    InvalidDocument
        If there are fewer, or one is blank or no text.
    """
    value: Any = spec
    if isinstance(spec, str):
        value = document[spec] if spec in document else _literal(render(spec, document), key="doc_to_choice")
    if not isinstance(value, list | tuple):
        raise InvalidDocument(f"doc_to_choice: expected a list, found {_short(value)}")
    for position, choice in enumerate(value):
        if not isinstance(choice, str):
            raise InvalidDocument(f"doc_to_choice: choice {position} is {_short(choice)}, expected text")
        if not choice.strip():
            raise InvalidDocument(f"doc_to_choice: choice {position} is empty")
    if len(value) < 2:
        raise InvalidDocument(f"doc_to_choice: {len(value)} choices, at least 2 are needed")
    return tuple(value)


def answer_value(spec: str | int, document: Document) -> Any:
    """Evaluate ``doc_to_target``.

    Parameters
    ----------
    spec
        A fixed index, a column, or a template.
    document
        Column name to value.

    Returns
    -------
    Any
        An index, a text, a list of several right answers, or whatever else the column holds.

    Raises
    ------
    InvalidDocument
        If the template cannot be rendered.
    """
    if isinstance(spec, int):
        return spec
    if spec in document:
        return document[spec]
    text = render(spec, document)
    if text.isdecimal() and text.isascii():
        return int(text)
    return _literal_list(text) if text.startswith("[") and text.endswith("]") else text


def answer_of(spec: str | int, document: Document, choices: tuple[str, ...]) -> int:
    """Find the right choice.

    Parameters
    ----------
    spec
        ``doc_to_target``: a fixed index, a column, or a template.
    document
        Column name to value.
    choices
        The document's choices.

    Returns
    -------
    int
        Its index, from 0. A text must equal one of the choices.

    Raises
    ------
    InvalidDocument
        If the answer is none of the choices.
    """
    value = answer_value(spec, document)
    if not isinstance(value, int | str):
        raise InvalidDocument(f"doc_to_target: expected a choice's number or text, found {_short(value)}")
    if isinstance(value, str):
        if value not in choices:
            raise InvalidDocument(f"doc_to_target: {_short(value)} is none of the choices {_short(list(choices))}")
        return choices.index(value)
    if not 0 <= value < len(choices):
        raise InvalidDocument(f"doc_to_target: {value} is not in 0..{len(choices) - 1}")
    return int(value)


def _literal(text: str, *, key: str) -> Any:
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError) as error:
        raise InvalidDocument(f"{key}: expected a list of texts, the template gave {_short(text)}") from error


def _literal_list(text: str) -> Any:
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return text


def _short(value: object) -> str:
    shown = repr(value)
    return shown if len(shown) <= 80 else f"{shown[:77]}..."


def _one_line(error: BaseException) -> str:
    return str(error).splitlines()[0] if str(error) else type(error).__name__
