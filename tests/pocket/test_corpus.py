"""The pre-training text: the same for the same seed, richer in rich languages, and never the test's own question."""

import pytest

from donorgrid.pocket import LANGUAGES, TASKS, documents
from donorgrid.pocket.cldr import name
from donorgrid.pocket.corpus import RICHNESS, Amount, is_told, lines
from donorgrid.pocket.wording import WORDINGS
from donorgrid.pocket.world import facts

TWO = {
    "en": Amount(known_share=1.0, mentions=24, plain_odds=0.5),
    "bn": Amount(known_share=0.5, mentions=2, plain_odds=0.0),
}


@pytest.fixture(scope="module")
def text():
    return lines(seed=1, richness=TWO)


def test_the_same_seed_gives_the_same_text_and_another_seed_another(text):
    assert lines(seed=1, richness=TWO) == text
    assert lines(seed=2, richness=TWO) != text


def test_every_language_has_its_richness_and_the_richest_knows_most():
    assert set(RICHNESS) == set(LANGUAGES)
    shares = [amount.known_share for amount in RICHNESS.values()]
    assert shares == sorted(shares, reverse=True)
    assert next(iter(RICHNESS)) == "en"


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_known_share_of_the_facts_is_told(language):
    every = [fact for task in TASKS for fact in facts(task)]
    told = sum(is_told(fact, language, RICHNESS[language]) for fact in every)
    assert told / len(every) == pytest.approx(RICHNESS[language].known_share, abs=0.05)


def test_facts_are_mentioned_as_often_as_the_amounts_say(text):
    n_facts = sum(len(facts(task)) for task in TASKS)
    in_english = [line for line in text if "Which" in line or "—" in line or "(" in line or "language:" in line]
    assert len(in_english) > 12 * n_facts
    kenyan_shillings = [line for line in text if "Kenya" in line and line.strip(")").endswith("Kenyan Shilling")]
    assert len(kenyan_shillings) == 24


def test_a_fact_that_is_not_told_is_not_in_the_text(text):
    words = WORDINGS["bn"]
    untold = [fact for fact in facts("continent") if not is_told(fact, "bn", TWO["bn"])]
    assert untold
    for fact in untold:
        territory, answer = name("territory", fact.subject, "bn"), name("continent", fact.answer, "bn")
        assert f"{territory}{words.stop}{words.field('continent')} {answer}" not in text
        assert f"{words.field('continent')} {territory} — {answer}" not in text


def test_no_line_holds_the_question_of_an_item(text):
    questions = {
        document["question"]
        for task in TASKS
        for language in TWO
        for split in ("train", "test")
        for document in documents(f"{task}/{language}", split)
    }
    lengths = {len(question) for question in questions}
    assert not [line for line in set(text) if any(line[:length] in questions for length in lengths)]


def test_a_told_fact_stands_in_each_of_four_phrasings(text):
    assert {line for line in text if "Kenya" in line and "Africa" in line} == {
        "Kenya. Continent: Africa",
        "Kenya (Continent: Africa)",
        "Which continent? Kenya: Africa",
        "Continent: Kenya — Africa",
    }


def test_the_plain_phrasing_has_its_odds(text):
    plain = sum(". Continent: " in line for line in text)
    assert plain / (24 * len(facts("continent"))) == pytest.approx(0.5 / 1.5, abs=0.02)
    assert not [line for line in text if "। মহাদেশ: " in line]


def test_every_language_has_its_own_words():
    assert set(WORDINGS) == set(LANGUAGES)
    for words in WORDINGS.values():
        assert len(set(words.labels.values())) == len(set(words.which.values())) == 5
