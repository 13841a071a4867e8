import pytest
from babel.core import get_global

from donorgrid.facts.languages import LANGUAGES, language_facts


def test_scripts_are_those_of_cldr():
    likely = get_global("likely_subtags")
    for code, facts in LANGUAGES.items():
        assert likely.get(code, f"{code}_?_?").split("_")[1] == facts.script, code


@pytest.mark.parametrize(
    ("name", "family", "script"),
    [("pt", "Indo-European", "Latn"), ("pt-BR", "Indo-European", "Latn"), ("zho_Hant", "Sino-Tibetan", "Hant"),
     ("ind_Latn", "Austronesian", "Latn"), ("tur", "Turkic", "Latn")],
)  # fmt: skip
def test_names_are_read_by_their_language_part(name, family, script):
    facts = language_facts(name)
    assert facts is not None
    assert (facts.family, facts.script) == (family, script)


def test_an_unknown_language_has_no_facts():
    assert language_facts("tlh") is None
