"""Makes foreign text harmless to print: characters that nobody sees, or that move the cursor, are escaped."""

from typing import Any
from unicodedata import category

_JOINERS = frozenset("\u200c\u200d")
"""Persian, Hindi and others need them inside words."""
_VISIBLE = frozenset("\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u070f\u0890\u0891\u08e2\U000110bd\U000110cd")
"""Signs before Arabic, Syriac and Kaithi numbers: of the same category as invisible characters, but drawn."""
_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})


def printable(text: str) -> str:
    """The text as one line: line breaks, controls and invisible characters are escaped, joiners of scripts stay."""
    return "".join(_escaped(character) if is_hidden(character) else character for character in text)


def readable(text: str) -> str:
    """The text as several lines: as ``printable``, but line breaks and tabs stay."""
    return "".join(
        _escaped(character) if is_hidden(character) and character not in "\n\t" else character for character in text
    )


def shown(value: Any) -> Any:
    """A value as a page shows it: a text as ``readable`` gives it, also inside lists and mappings; markup as it is."""
    if isinstance(value, str):
        return value if hasattr(value, "__html__") else readable(value)
    if isinstance(value, dict):
        return {shown(key): shown(part) for key, part in value.items()}
    return [shown(part) for part in value] if isinstance(value, list | tuple) else value


def is_hidden(character: str) -> bool:
    """True for controls, marks of the writing direction, characters of no width, and halves of characters."""
    return category(character) in _HIDDEN and character not in _JOINERS | _VISIBLE


def _escaped(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")
