"""Foreign text is escaped."""

from donorgrid.core.printable_text import printable, readable


def test_joiners_of_scripts_stay_and_control_characters_are_escaped() -> None:
    devanagari = "क्\u200dष می\u200cخواهم"
    assert printable(devanagari) == devanagari
    assert printable("a\nb\x07\u2066") == r"a\nb\x07\u2066"
    assert printable("a\u202eb\u200b\ufeff\u00ad\U000e0041") == r"a\u202eb\u200b\ufeff\xad\U000e0041"
    assert printable("\u0601٣") == "\u0601٣"
    assert readable("a\n\tb\x9b") == "a\n\tb\\x9b"
