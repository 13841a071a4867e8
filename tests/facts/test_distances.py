import sys

import pytest

from donorgrid.core.errors import InputError
from donorgrid.facts.distances import built_in_distances
from donorgrid.facts.languages import iso_639_3_codes
from donorgrid.facts.typology import uriel_distances


def test_distances_by_hand():
    found = built_in_distances(["es", "de", "hi", "pt", "zh", "xx"])
    assert found["family"][("es", "pt")] == 0.0
    assert found["family"][("de", "pt")] == 0.5
    assert found["family"][("de", "zh")] == 1.0
    assert found["branch"] == {pair: float(value > 0) for pair, value in found["family"].items()}
    assert found["script"][("de", "es")] == 0.0
    assert found["script"][("de", "hi")] == 1.0
    assert len(found["script"]) == 10
    assert not any("xx" in pair for pair in found["family"])


def test_codes_of_a_name():
    assert iso_639_3_codes("ar") == ("arb", "ara")
    assert iso_639_3_codes("cmn_Hans") == ("cmn", "zho")
    assert iso_639_3_codes("tlh") == ("tlh",)
    assert iso_639_3_codes("xx") == ()


def test_without_the_extra_one_line_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "urielplus", None)
    monkeypatch.setitem(sys.modules, "urielplus.urielplus", None)
    with pytest.raises(InputError, match=r"pip install 'donorgrid\[typology\]'"):
        uriel_distances(["de", "en"])


def test_uriel_says_that_german_is_nearer_to_english_than_hindi():
    pytest.importorskip("urielplus")
    found = uriel_distances(["de", "en", "hi", "zh", "xx"])
    assert set(found) == {"uriel syntactic", "uriel phonological", "uriel inventory"}
    syntactic = found["uriel syntactic"]
    assert 0 < syntactic[("de", "en")] < syntactic[("en", "hi")] < 1
    assert not any("xx" in pair for pair in syntactic)
