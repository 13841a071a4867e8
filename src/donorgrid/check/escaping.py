"""Makes foreign text harmless to print: characters that move the cursor or change the writing direction are escaped."""

from unicodedata import category

_DIRECTION_MARKS = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def printable(text: str) -> str:
    """The text as one line: control characters and line breaks are escaped, joiners of scripts stay."""
    return "".join(_escaped(character) if _is_control(character) else character for character in text)


def readable(text: str) -> str:
    """The text as several lines: as ``printable``, but line breaks and tabs stay."""
    return "".join(
        _escaped(character) if _is_control(character) and character not in "\n\t" else character for character in text
    )


def _is_control(character: str) -> bool:
    return character in _DIRECTION_MARKS or category(character) in ("Cc", "Cs", "Zl", "Zp")


def _escaped(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")
