"""From task files to items and training texts."""

import shutil
from pathlib import Path

import pytest

from donorgrid.core.errors import InputError
from donorgrid.core.records import Cell, Item, ItemCounts, TrainingText
from donorgrid.tasks import find_task, load_cell

EXAMPLES = Path(__file__).parents[2] / "examples" / "tasks"


def test_a_document_becomes_an_item_and_a_training_text(load, write_task):
    cell = load(write_task(target_delimiter=" = "))
    assert cell.test[1] == Item(
        id="i1",
        cell=Cell(task="colours", language="de"),
        context="world/de test 1?",
        choices=("rot", "blau", "l'or"),
        answer=1,
        delimiter=" = ",
    )
    assert cell.train[2] == TrainingText(
        item_id="i2",
        prompt="world/de train 2?",
        target=" = l'or",
        delimiter=" = ",
        answer=2,
        alternatives=(" = rot", " = blau", " = l'or"),
    )
    assert cell.counts == {"train": ItemCounts(read=3, kept=3), "test": ItemCounts(read=3, kept=3)}
    assert cell.notes == ()


def test_each_language_reads_its_own_documents(load, write_task):
    path = write_task(language_names={"fr": "french"})
    assert load(path, "de").test[0].context == "world/de test 0?"
    assert load(path, "fr").test[0].context == "world/french test 0?"


def test_the_train_block_says_what_is_learnt_and_where_the_loss_lies(load, write_task):
    block = {
        "prompt": "Q {{question}}\n",
        "target": "{{letter}}:{{gold}}:{{choice}}",
        "loss_on": "all",
        "max_tokens": 9,
    }
    first = load(write_task(train=block)).train[0]
    assert (first.prompt, first.target) == ("Q world/de train 0?\n", "A:0:rot")
    assert first.alternatives == ("A:0:rot", "B:1:blau", "C:2:l'or")
    assert (first.tokenise, first.loss_on, first.max_tokens, first.keep) == (None, "all", 9, "end")


def test_a_target_that_does_not_depend_on_the_answer_has_no_alternatives(load, write_task):
    assert load(write_task(train={"prompt": "question", "target": "{{answer}}"})).train[0].alternatives == ()


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"answer": 3}, "doc_to_target: 3 is not in 0..2"),
        ({"answer": -1}, "doc_to_target: -1 is not in 0..2"),
        ({"answer": "grün"}, "doc_to_target: 'grün' is none of the choices"),
        ({"answer": None}, "doc_to_target: expected a choice's number or text, found None"),
        ({"answer": [0, 1]}, "doc_to_target: expected a choice's number or text, found [0, 1]"),
        ({"choices": ["rot"]}, "doc_to_choice: 1 choices, at least 2 are needed"),
        ({"choices": ["rot", " "]}, "doc_to_choice: choice 1 is empty"),
        ({"choices": ["rot", 7]}, "doc_to_choice: choice 1 is 7, expected text"),
        ({"choices": "rot"}, "doc_to_choice: expected a list of texts, the template gave 'rot'"),
        ({"id": None}, "id_column 'id' is empty or missing"),
        ({"id": "i0"}, "id_column 'id': an earlier document of this split has the ID 'i0'"),
    ],
)
def test_a_document_that_cannot_be_an_item_is_counted_with_its_reason(load, write_task, change, reason):
    def faulty(_name, _split):
        documents = [
            {"id": f"i{n}", "question": "?", "choices": ["rot", "blau", "gelb"], "answer": n} for n in range(3)
        ]
        return [documents[0], {**documents[1], **change}, documents[2]]

    cell = load(write_task(), reader=faulty)
    for counts in cell.counts.values():
        assert (counts.read, counts.kept) == (3, 2)
        (invalid,) = counts.invalid
        assert invalid[0] == change.get("id", "i1") or (invalid[0] == "row 1" and change["id"] is None)
        assert invalid[1].startswith(reason)
    assert [item.id for item in cell.test] == ["i0", "i2"]


def test_a_template_that_fits_no_document_is_an_error_that_names_the_columns(load, write_task):
    with pytest.raises(
        InputError,
        match=r"none of the 3 documents of colours/de test.*'questoin' is undefined; its "
        r"columns are id, question, choices, answer; did you mean 'question'",
    ):
        load(write_task(doc_to_text="{{questoin}}"))


def test_without_an_id_column_rows_are_numbered_and_that_is_said(load, write_task):
    cell = load(write_task(id_column=None))
    assert [item.id for item in cell.test] == ["0", "1", "2"]
    assert "row number" in cell.notes[0]


def test_templates_cannot_reach_python(load, write_task):
    with pytest.raises(InputError, match="unsafe"):
        load(write_task(doc_to_text="{{ question.__class__.__mro__ }}"))


def test_xcopa_from_the_example_file(real_data, tmp_path):
    (tmp_path / "data").symlink_to(real_data)
    shutil.copy(EXAMPLES / "xcopa.yaml", tmp_path)
    task = find_task("xcopa.yaml", folder=tmp_path)
    cells = [load_cell(task, language, sources={}) for language in task.languages]
    assert {(cell.counts["train"].kept, cell.counts["test"].kept) for cell in cells} == {(100, 500)}
    third = cells[1].test[3]
    assert third.context == "I viaggiatori raggiunsero il confine quindi"
    assert third.choices[0] == "l'agente di pattuglia controllò i loro passaporti."
