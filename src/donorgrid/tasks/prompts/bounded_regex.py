"""Regular expressions of task files, which a time limit ends: a pattern may backtrack for longer than anybody waits.

The syntax is that of ``re``; the package ``regex``, which reads the same syntax, runs them.
"""

import re
from functools import cache
from typing import Any

import regex

from donorgrid.tasks.prompts.template_budget import TemplateLimit

SECONDS = 1.0
"""How long one search may take."""


@cache
def compiled(pattern: str) -> Any:
    """Returns the compiled pattern; ``re.error`` if it is not valid for ``re``."""
    re.compile(pattern)
    try:
        return regex.compile(pattern)
    except regex.error as error:
        raise re.error(str(error)) from error


def substitute(pattern: str, replacement: str, text: str, *, count: int = 0) -> str:
    """Replace the matches of a pattern, as ``re.sub`` does.

    Parameters
    ----------
    pattern
        The regular expression.
    replacement
        What replaces a match; ``\\1`` is its first group.
    text
        The text.
    count
        At most so many matches; 0 for all.

    Returns
    -------
    str

    Raises
    ------
    TemplateLimit
        If the search takes too long.
    re.error
        If the pattern or the replacement is not valid.
    """
    try:
        return str(compiled(pattern).sub(replacement, text, count=count, timeout=SECONDS))
    except TimeoutError:
        raise _too_slow(pattern) from None
    except regex.error as error:
        raise re.error(str(error)) from error


def find_all(pattern: str, text: str) -> list[Any]:
    """Find the matches of a pattern, as ``re.findall`` does.

    Parameters
    ----------
    pattern
        The regular expression.
    text
        The text.

    Returns
    -------
    list
        Texts, or tuples of texts where the pattern has several groups.

    Raises
    ------
    TemplateLimit
        If the search takes too long.
    """
    try:
        return list(compiled(pattern).findall(text, timeout=SECONDS))
    except TimeoutError:
        raise _too_slow(pattern) from None


def _too_slow(pattern: str) -> TemplateLimit:
    shown = repr(pattern)
    shown = shown if len(shown) <= 80 else f"{shown[:77]}..."
    return TemplateLimit(f"the regular expression {shown} takes longer than {SECONDS:g} seconds on one text")
