"""The fact table: a few facts that anyone can check, and the laws that all of them follow."""

import subprocess
import sys

import pytest

from donorgrid.core.errors import InputError
from donorgrid.pocket import LANGUAGES, TASKS, cldr
from donorgrid.pocket.regions import CONTINENT_OF, CONTINENTS, overlapping
from donorgrid.pocket.world import draw, facts, parts, places, territories


@pytest.mark.parametrize(
    ("task", "subject", "answer"),
    [
        ("continent", "KE", "002"),
        ("continent", "CY", "142"),
        ("continent", "RU", "150"),
        ("continent", "GS", "019"),
        ("currency", "BT", "BTN"),
        ("currency", "HR", "EUR"),
        ("currency", "EC", "USD"),
        ("language", "CH", "de"),
        ("language", "KE", "sw"),
        ("language", "BR", "pt"),
        ("place", "Africa/Nairobi", "KE"),
        ("place", "America/Vancouver", "CA"),
    ],
)
def test_well_known_facts(task, subject, answer):
    assert {fact.subject: fact.answer for fact in facts(task)}[subject] == answer


def test_what_is_also_true_is_known():
    by_id = {fact.id: fact for task in TASKS for fact in facts(task)}
    assert by_id["currency-BT"].not_wrong == {"BTN", "INR"}
    assert {"de", "fr", "it", "rm"} <= by_id["language-CH"].not_wrong
    assert {"SJ", "NO"} <= by_id["place-Arctic-Longyearbyen"].not_wrong


@pytest.mark.parametrize("task", TASKS)
def test_every_fact_holds_its_own_answer_and_a_territory_with_a_part(task):
    for fact in facts(task):
        assert fact.answer in fact.not_wrong
        assert fact.territory in parts()
        assert CONTINENT_OF[fact.territory] in CONTINENTS


def test_the_parts_share_no_territory_and_are_three_to_two():
    n_train = list(parts().values()).count("train")
    assert set(parts()) == set(territories())
    assert n_train / len(parts()) == pytest.approx(0.6, abs=0.01)


def test_no_place_gives_its_territory_away_by_name():
    for zone, territory in places().items():
        for language in LANGUAGES:
            place, whole = cldr.name("place", zone, language), cldr.name("territory", territory, language)
            assert place.casefold() not in whole.casefold()
            assert whole.casefold() not in place.casefold()


def test_each_region_of_m49_has_as_many_members_as_counted_by_hand():
    counts = {code: list(CONTINENT_OF.values()).count(code) for code in CONTINENTS}
    assert counts == {"002": 65, "019": 57, "142": 51, "150": 52, "009": 29}


def test_overlapping_territories_stand_together():
    assert overlapping("KE") == {"KE"}
    assert overlapping("GL") == overlapping("DK") == {"DK", "GL", "FO"}
    assert all(code in CONTINENT_OF for code in overlapping("GB"))


def test_a_draw_depends_on_its_key_alone():
    assert draw("part", "KE") == draw("part", "KE") == pytest.approx(0.2239587706537023, abs=1e-12)
    assert draw("a", "bc") != draw("ab", "c")
    assert all(0 <= draw("x", str(n)) < 1 for n in range(100))


def test_a_name_that_cldr_lacks_is_an_input_error():
    with pytest.raises(InputError, match="no currency name for 'XCG' in 'de'"):
        cldr.name("currency", "XCG", "de")


def test_names_carry_no_soft_hyphen():
    assert cldr.name("place", "Atlantic/Reykjavik", "de") == "Reykjavík"


def test_documents_are_read_without_torch():
    program = "import sys, donorgrid.pocket as p; p.documents('place/zh', 'test'); print('torch' in sys.modules)"
    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "False"
