"""Parses YAML that a user wrote: safe, without dates and truth values that nobody meant, and bounded."""

import re
from collections.abc import Hashable
from typing import Annotated, Any

import yaml
from pydantic import BeforeValidator

from donorgrid.core.errors import InputError

_DEEPEST = 30
_MOST_VALUES = 100_000
_LONGEST_NUMBER = 64
_BOOLEAN, _FLOAT, _TIMESTAMP = (f"tag:yaml.org,2002:{kind}" for kind in ("bool", "float", "timestamp"))
E_NOTATION = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)[eE][-+]?\d+\Z")
"""``5e-5``, which YAML 1.1 reads as text."""
_WORDS = {"yes": True, "on": True, "no": False, "off": False}

_TAG_ERRORS = (LookupError, AttributeError, TypeError)
"""What PyYAML raises for a value that does not fit its tag, such as ``!!bool x``."""


class YamlWord(str):
    """A bare ``yes``, ``no``, ``on`` or ``off``, which YAML 1.1 takes for a truth value and YAML 1.2 for a text."""

    __slots__ = ()


class YamlLoader(yaml.SafeLoader):
    """A safe loader that refuses a repeated key and reads words and dates as text.

    ``no`` is Norwegian and ``on`` names a column; only ``true`` and ``false`` are always truth values. ``5e-5`` is a
    number, as in YAML 1.2.
    """

    repeated_keys = False

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        """Returns a mapping; InputError if a key stands twice."""
        keys: set[Hashable] = set()
        for key_node, _ in [] if self.repeated_keys else node.value:
            key = self.construct_object(key_node, deep=True)
            if isinstance(key, Hashable):
                if key in keys:
                    raise InputError(f"line {key_node.start_mark.line + 1}: key '{key}' stands twice")
                keys.add(key)
        return super().construct_mapping(node, deep)

    def construct_scalar(self, node: yaml.ScalarNode | yaml.MappingNode) -> Any:
        """Returns a scalar as text; InputError if it is no Unicode."""
        text = super().construct_scalar(node)
        if isinstance(text, str):
            try:
                text.encode("utf-8")
            except UnicodeEncodeError:
                line = node.start_mark.line + 1
                raise InputError(
                    f"line {line}: holds half of a character (a lone surrogate), which is no text"
                ) from None
            if isinstance(node, yaml.ScalarNode) and node.style is None and text.lower() in _WORDS:
                return YamlWord(text)
        return text


YamlLoader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag not in (_BOOLEAN, _TIMESTAMP)]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
YamlLoader.add_implicit_resolver(_BOOLEAN, re.compile(r"(?i:true|false)\Z"), list("tTfF"))
YamlLoader.add_implicit_resolver(_FLOAT, E_NOTATION, list("-+.0123456789"))


def word_as_truth(value: Any) -> Any:
    """Returns the truth value that a bare ``yes``, ``no``, ``on`` or ``off`` has where one is expected."""
    return _WORDS[value.lower()] if isinstance(value, YamlWord) else value


Truth = Annotated[bool, BeforeValidator(word_as_truth)]
"""The type of a field that is true or false, also as ``yes``, ``no``, ``on`` and ``off``."""


def parse_yaml(text: str, loader: type[YamlLoader] = YamlLoader, *, allowed: tuple[type, ...] = ()) -> Any:
    """Parses a YAML text.

    Parameters
    ----------
    text : str
        The content of a file.
    loader : type
        The loader.
    allowed : tuple of type
        Types of values that the loader makes beside text, numbers, truth values, lists and mappings.

    Returns
    -------
    object
        The content.

    Raises
    ------
    InputError
        If the text is no YAML, or holds values of other types, too many or too deep. The message names the line or
        the key.
    """
    try:
        content = yaml.load(text, loader)  # noqa: S506 - a SafeLoader
    except (yaml.YAMLError, RecursionError, ValueError, *_TAG_ERRORS) as error:
        raise InputError(_problem(error)) from error
    for key, value in content.items() if isinstance(content, dict) else [(None, content)]:
        _check(value, "" if key is None else f"key '{key}': ", allowed)
    return content


def _check(value: Any, where: str, allowed: tuple[type, ...]) -> None:
    n_values, waiting = 0, [(value, 0)]
    while waiting:
        part, depth = waiting.pop()
        n_values += 1
        if depth > _DEEPEST or n_values > _MOST_VALUES:
            raise InputError(
                f"{where}its lists and mappings contain themselves, are nested deeper than {_DEEPEST} levels, or "
                f"have more than {_MOST_VALUES:,} values"
            )
        if isinstance(part, dict):
            waiting += [(inner, depth + 1) for pair in part.items() for inner in pair]
        elif isinstance(part, list):
            waiting += [(inner, depth + 1) for inner in part]
        elif isinstance(part, int) and part.bit_length() > _LONGEST_NUMBER:
            raise InputError(f"{where}a number has more than {_LONGEST_NUMBER} bits")
        elif not isinstance(part, (str, int, float, type(None), *allowed)):
            raise InputError(f"{where}found a {type(part).__name__}; expected text, numbers, lists and mappings")


def _problem(error: Exception) -> str:
    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark is not None:
        return f"not YAML: line {error.problem_mark.line + 1}: {error.problem}"
    if isinstance(error, _TAG_ERRORS):
        return "not YAML: a value does not fit its tag, such as !!bool"
    first_line = next(iter(str(error).splitlines()), type(error).__name__)
    return f"not YAML: {'nested too deep' if isinstance(error, RecursionError) else first_line}"
