"""Text of others, made harmless to read: what moves the cursor or turns the direction of a line is written out."""

from unicodedata import category

_TURNS = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def printable(text: str) -> str:
    """One line: control characters and line breaks are written out, joiners of scripts stay."""
    return "".join(_escaped(one) if _is_control(one) else one for one in text)


def readable(text: str) -> str:
    """The same for a text of several lines: line breaks and tabs stay."""
    return "".join(_escaped(one) if _is_control(one) and one not in "\n\t" else one for one in text)


def _is_control(character: str) -> bool:
    return character in _TURNS or category(character) in ("Cc", "Cs", "Zl", "Zp")


def _escaped(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")
