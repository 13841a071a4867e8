"""How much text an operator, a call or a filter of a template can make, told before it is calculated."""

import re
from collections.abc import Iterable, Sized
from typing import Any

from donorgrid.tasks.prompts.template_budget import LONGEST_TEXT, TemplateLimit

_LONGEST_NUMBER = 4096
"""In bits."""
_WIDTHS = frozenset({"ljust", "rjust", "center", "zfill", "expandtabs", "to_bytes"})
_WIDTH_FILTERS = frozenset({"center", "indent", "batch", "slice", "round", "tojson"})
_WIDEST = 1000


def size_of(value: object) -> int:
    """Returns the length of a text or a collection; 0 for any other value."""
    return len(value) if isinstance(value, str | bytes | list | tuple | dict | set) else 0


def text_size(value: object) -> int:
    """How long a value is as text, about; counted no further than the longest text that is allowed."""
    total, waiting = 0, [value]
    while waiting and total <= LONGEST_TEXT:
        part = waiting.pop()
        total += len(part) if isinstance(part, str | bytes) else 2
        if isinstance(part, dict):
            waiting += [*part, *part.values()]
        elif isinstance(part, list | tuple | set):
            waiting += part
        elif not isinstance(part, str | bytes):
            total += 22
    return total


def _format_size(pattern: str, values: Iterable[object]) -> int:
    """How long a formatted text can be: its widths, and every field as long as the longest value."""
    given = list(values)
    widths = sum(int(digits[:12]) for digits in re.findall(r"[0-9]+", pattern))
    fields = pattern.count("%") + pattern.count("{")
    if re.search(r"\*|\{[^}]*\{", pattern):  # a width that is itself a value
        widths += fields * max((abs(value) for value in given if isinstance(value, int)), default=0)
    return len(pattern) + widths + fields * max(map(text_size, given), default=0)


def operator_size(operator: str, left: Any, right: Any) -> int:
    """Tell how long the result of an operator is.

    Parameters
    ----------
    operator
        ``+``, ``*``, ``**`` or ``%``.
    left, right
        Its operands.

    Returns
    -------
    int
        In characters or elements; 0 for a number.

    Raises
    ------
    TemplateLimit
        If the result is a number with too many digits.
    """
    if operator == "*":
        for sequence, times in ((left, right), (right, left)):
            if isinstance(sequence, Sized) and isinstance(times, int):
                return len(sequence) * max(times, 0)
    if isinstance(left, int) and isinstance(right, int):
        bits = left.bit_length() * max(right, 0) if operator == "**" else left.bit_length() + right.bit_length()
        if operator in ("*", "**") and bits > _LONGEST_NUMBER:
            raise TemplateLimit(f"it makes a number of more than {_LONGEST_NUMBER} bits")
        return 0
    if operator == "%" and isinstance(left, str):
        return _format_size(left, right if isinstance(right, tuple) else [right])
    return size_of(left) + size_of(right) if operator == "+" else 0


def owner_of(called: Any) -> Any:
    """The object whose method is called; the sandbox wraps those that format a text."""
    return getattr(getattr(called, "__wrapped__", called), "__self__", None)


def call_size(called: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> int:
    """Tell how long the result of a call can be, where that is longer than what goes in.

    Parameters
    ----------
    called
        A function or the method of a value.
    args, kwargs
        The arguments.

    Returns
    -------
    int
        In characters; 0 for a call whose result is no longer than its arguments.
    """
    name, owner = getattr(called, "__name__", ""), owner_of(called)
    values = [*args, *kwargs.values()]
    if name in _WIDTHS and isinstance(owner, str | bytes | int):
        width = max((abs(value) for value in values if isinstance(value, int)), default=8)
        return size_of(owner) + width * (owner.count("\t") if name == "expandtabs" and isinstance(owner, str) else 1)
    if not isinstance(owner, str) or not values:
        return 0
    if name in ("format", "format_map"):
        return _format_size(owner, values)
    if name == "join":
        return _joined_size(owner, values[0])
    if name == "replace" and len(values) > 1 and isinstance(values[0], str):
        return len(owner) + owner.count(values[0]) * size_of(values[1])
    if name == "translate" and isinstance(values[0], dict):
        return len(owner) * max(map(text_size, values[0].values()), default=1)
    return 0


def _joined_size(separator: object, values: object) -> int:
    if not isinstance(values, list | tuple | set | dict | str):
        return 0
    return sum(map(text_size, values)) + text_size(separator) * len(values)


def filter_size(name: str, value: Any, given: list[Any]) -> int:
    """Tell how long the result of a filter can be.

    Parameters
    ----------
    name
        The name of the filter.
    value
        What it is applied to.
    given
        Its arguments.

    Returns
    -------
    int
        In characters or elements.

    Raises
    ------
    TemplateLimit
        If an argument is a width or a number of parts that is larger than any text needs.
    """
    numbers = [abs(number) for number in given if isinstance(number, int)]
    if name in _WIDTH_FILTERS and max(numbers, default=0) > _WIDEST:
        raise TemplateLimit(f"its filter '{name}' has the number {max(numbers)}; at most {_WIDEST} is allowed")
    if name == "format" and isinstance(value, str):
        return _format_size(value, given)
    if name == "join":
        return _joined_size(given[0] if given else "", value)
    if name == "replace" and len(given) > 1 and isinstance(value, str) and isinstance(given[0], str):
        return len(value) + value.count(given[0]) * text_size(given[1])
    if name == "sum" and isinstance(value, list | tuple) and any(isinstance(start, list | tuple) for start in given):
        return len(value) * text_size(value)
    if name in ("indent", "wordwrap") and isinstance(value, str):
        widest = max([size_of(text) for text in given] + numbers, default=4)
        return len(value) + (value.count("\n") + 1 if name == "indent" else len(value)) * widest
    return text_size(value) if isinstance(value, list | tuple | dict) else 0
