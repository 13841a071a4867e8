"""Foreign text is escaped."""

from donorgrid.check import printable
from donorgrid.check.escaping import readable


def test_joiners_of_scripts_stay_and_control_characters_are_escaped() -> None:
    devanagari = "क्\u200dष می\u200cخواهم"
    assert printable(devanagari) == devanagari
    assert printable("a\nb\x07\u2066") == r"a\nb\x07\u2066"
    assert readable("a\n\tb\x9b") == "a\n\tb\\x9b"
