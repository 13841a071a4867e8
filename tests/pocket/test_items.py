"""The documents: enough of them, aligned, without leaks, right by the facts, and always the same."""

from collections import Counter

import pytest

from donorgrid.core.digests import digest_of
from donorgrid.core.errors import InputError
from donorgrid.pocket import LANGUAGES, TASKS, documents
from donorgrid.pocket.cldr import name
from donorgrid.pocket.world import facts, parts

CELLS = [f"{task}/{language}" for task in TASKS for language in LANGUAGES]
GOLDEN_DIGEST = "b8e2b06b51cc62a92178eda1ae031fc10b12c43e740f285a1babbef16948a456"


def test_the_world_is_four_tasks_in_the_eleven_languages_of_the_release():
    assert list(TASKS) == ["continent", "currency", "language", "place"]
    assert LANGUAGES == ("ar", "bn", "de", "en", "es", "fr", "hi", "id", "it", "pt", "zh")


@pytest.mark.parametrize("cell", CELLS)
def test_every_cell_has_the_promised_number_of_well_formed_items(cell):
    train, test = documents(cell, "train"), documents(cell, "test")
    assert len(train) >= 150
    assert len(test) >= 100
    for document in train + test:
        assert set(document) == {"id", "question", "choices", "answer"}
        assert len(document["choices"]) == len(set(document["choices"])) == 4
        assert document["answer"] in range(4)
        assert all(text == text.strip() and text for text in [document["question"], *document["choices"]])
    questions = [document["question"] for document in train + test]
    assert len(set(questions)) == len(questions)


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("split", ["train", "test"])
def test_items_are_aligned_across_languages_by_id_and_answer(task, split):
    keys = {
        language: [(document["id"], document["answer"]) for document in documents(f"{task}/{language}", split)]
        for language in LANGUAGES
    }
    assert all(keys[language] == keys["en"] for language in LANGUAGES)


def test_no_test_item_of_any_task_is_about_a_territory_of_a_training_item():
    about = {fact.id: fact.territory for task in TASKS for fact in facts(task)}
    seen = {
        split: {about[document["id"]] for task in TASKS for document in documents(f"{task}/en", split)}
        for split in ("train", "test")
    }
    assert seen["train"].isdisjoint(seen["test"])
    assert seen["train"] | seen["test"] == set(parts())


@pytest.mark.parametrize("cell", CELLS)
def test_exactly_one_choice_is_right_by_the_facts(cell):
    task, _, language = cell.partition("/")
    asked = TASKS[task][1]
    by_id = {fact.id: fact for fact in facts(task)}
    for document in documents(cell, "train") + documents(cell, "test"):
        fact = by_id[document["id"]]
        not_wrong = {name(asked, key, language) for key in fact.not_wrong if key in _answers(task)}
        right = [choice for choice in document["choices"] if choice in not_wrong]
        assert right == [document["choices"][document["answer"]]] == [name(asked, fact.answer, language)]


def _answers(task):
    return {fact.answer for fact in facts(task)}


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("split", ["train", "test"])
def test_how_often_an_answer_is_shown_does_not_tell_whether_it_is_right(task, split):
    part = documents(f"{task}/en", split)
    shown = Counter(choice for document in part for choice in document["choices"])
    always_the_commonest = [
        max(document["choices"], key=lambda choice: (shown[choice], choice)) == document["choices"][document["answer"]]
        for document in part
    ]
    assert sum(always_the_commonest) / len(part) < 0.33


def test_known_items_read_as_written_here():
    found = {document["id"]: document for document in documents("language/de", "test")}["language-BA"]
    assert found["question"] == "Gebiet: Bosnien und Herzegowina. Wichtigste Amtssprache:"
    assert found["choices"][found["answer"]] == "Bosnisch"
    french = {document["id"]: document for document in documents("place/fr", "test")}["place-Africa-Dar_es_Salaam"]
    assert french["question"] == "Lieu : Dar es Salaam. Territoire :"
    assert french["choices"][french["answer"]] == "Tanzanie"


def test_all_documents_are_the_golden_ones():
    """Made with Babel 2.18.0 (see constraints.txt): another CLDR may rename a territory, and then this says so."""
    everything = {cell: {split: documents(cell, split) for split in ("train", "test")} for cell in CELLS}
    assert digest_of(everything) == GOLDEN_DIGEST


def test_a_callers_change_does_not_reach_the_next_caller():
    documents("place/en", "test")[0]["choices"].clear()
    assert len(documents("place/en", "test")[0]["choices"]) == 4


@pytest.mark.parametrize(
    ("cell", "split", "expected"),
    [
        ("continent/xx", "test", "did you mean 'continent/"),
        ("contnent/de", "test", "did you mean 'continent/de'?"),
        ("continent", "test", "expected 'task/language' with a task of continent, currency, language, place"),
        ("continent/de", "validation", "split 'validation' is not one of train, test"),
    ],
)
def test_an_unknown_name_or_split_is_answered_by_one_line(cell, split, expected):
    with pytest.raises(InputError) as caught:
        documents(cell, split)
    assert expected in str(caught.value)
    assert "\n" not in str(caught.value)
