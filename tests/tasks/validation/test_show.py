"""What `tasks show` and `tasks validate` print."""

import shutil
from pathlib import Path

import pytest

from donorgrid.core.errors import InputError
from donorgrid.core.records import Cell, CellItems, Item, TrainingText
from donorgrid.tasks import align, find_task, load_cell, show_cell, validate_task
from donorgrid.tasks.validation.show import ShownItem, ShownText, TokenView

EXAMPLES = Path(__file__).parents[3] / "examples" / "tasks"
CELL = Cell(task="t", language="de")
ITEM = Item(id="7", cell=CELL, context="Q:\nA:", choices=("ja", "nein"), answer=1, messages=(("user", "Q"),))
TEXT = TrainingText(item_id="7", prompt="P", target=" nein", max_tokens=2, keep="end")


VIEW = TokenView(
    text=lambda _: ShownText(
        way="joint", tokens=("<bos>", "P", " ne", "in", "<eos>"), supervised=(False, False, True, True, True), n_cut=4
    ),
    item=lambda _: ShownItem(context=("<bos>", "Q", ":\\n"), options=((" ja",), (" ne", "in"))),
)


def test_show_prints_the_loss_the_right_choice_and_the_tokens():
    shown = show_cell(CellItems(cell=CELL, train=(TEXT,), test=(ITEM,), notes=("N",)), view=VIEW)
    assert shown == (
        "t/de\n\n"
        "TRAINING  item 7; loss on target (⟦..⟧); tokenised as the recipe says\n"
        "  | P⟦ nein⟧\n"
        "  tokenised joint: 5 tokens, loss on 3; TOO LONG: 4 are cut\n"
        "  <bos>|P⟦ ne|in|<eos>⟧\n\n"
        "SCORING  item 7\n"
        "  | Q:\n"
        "  | A:\n"
        "  under a chat template: user 'Q'\n"
        "  context: 3 tokens\n"
        "  <bos>|Q|:\\n\n"
        "           ' ja'   ja\n"
        "  right -> ' nein'   ne|in\n"
        "note: N"
    )


def test_loss_on_all_of_a_text_begins_after_its_first_token():
    text = TrainingText(item_id="1", prompt="P", target="T", tokenise="whole", loss_on="all")
    view = TokenView(
        text=lambda _: ShownText(way="whole", tokens=("<bos>", "P", "T"), supervised=(False, True, True)),
        item=VIEW.item,
    )
    shown = show_cell(CellItems(cell=CELL, train=(text,), test=()), view=view)
    assert "; tokenised whole\n  | ⟦PT⟧\n  tokenised whole: 3 tokens, loss on 2\n  <bos>⟦P|T⟧\n\nSCORING  none" in shown


def test_show_of_an_unknown_item():
    with pytest.raises(InputError, match="cell t/de: no item has the ID '77'"):
        show_cell(CellItems(cell=CELL, train=(TEXT,), test=(ITEM,)), item_id="77")


def cell_with(language: str, answers: dict[str, int]) -> CellItems:
    cell = Cell(task="t", language=language)
    items = (Item(id=key, cell=cell, context="", choices=("a", "b"), answer=one) for key, one in answers.items())
    return CellItems(cell=cell, train=(), test=tuple(items))


def test_languages_align_by_id():
    same = align([cell_with("de", {"1": 0, "2": 1}), cell_with("fr", {"2": 1, "1": 0})], split="test")
    assert (same.aligned, str(same)) == (True, "test: 2 items, the same IDs in 2 languages")
    other = align([cell_with("de", {"1": 0, "2": 1}), cell_with("fr", {"2": 0, "3": 0, "4": 1})], split="test")
    assert not other.aligned
    assert dict(other.missing) == {"de": 2, "fr": 1}
    assert str(other) == (
        "test: 1 of 4 IDs are in all 2 languages; de lacks 2, fr lacks 1; "
        "1 common IDs have different answers, such as 2"
    )


def test_validate_counts_every_language_and_lists_what_is_invalid(tmp_path, write_task):
    def reader(name, split):
        if name.endswith("fr"):
            raise InputError("shelf: no French")
        good = {"id": "a", "question": "?", "choices": ["x", "y"], "answer": 0}
        return [good, *({**good, "id": f"b{n}", "answer": 9} for n in range(7))] if split == "test" else [good]

    path = write_task(metric_list=[{"metric": "acc"}, {"metric": "f1"}], metadata={"licence": "CC-BY-NC-4.0"})
    report = validate_task(find_task(path.name, folder=tmp_path), sources={"shelf": reader})
    assert not report.sound
    lines = str(report).split("\n")
    assert lines[0] == "colours: colours; licence CC-BY-NC-4.0 (NON-COMMERCIAL); metrics acc"
    assert lines[1] == "  de  train 1 of 1, test 1 of 8"
    assert lines[2] == "    test item b0 is invalid: doc_to_target: 9 is not in 0..1"
    assert lines[7] == "    test: 2 more invalid items"
    assert lines[8:10] == [
        "  fr  FAILED: task file colours.yaml: shelf: no French",
        "  note: metrics not computed: f1",
    ]
    assert "occur among the test items of 'colours' in 1 cell: colours/de in 1 of 1 items" in lines[10]
    assert len(lines) == 11


@pytest.mark.parametrize(("name", "sizes"), [("xcopa", (100, 500)), ("sib200", (701, 204))])
def test_the_real_data_sets_read_whole_and_align(real_data, tmp_path, name, sizes):
    (tmp_path / "data").symlink_to(real_data)
    shutil.copy(EXAMPLES / f"{name}.yaml", tmp_path)
    report = validate_task(find_task(f"{name}.yaml", folder=tmp_path), sources={})
    assert report.sound
    assert {(counts["train"].kept, counts["test"].kept) for counts in report.counts.values()} == {sizes}
    assert [one.aligned for one in report.alignments] == [True, True]


def test_sib200_to_the_eye(real_data, tmp_path):
    (tmp_path / "data").symlink_to(real_data)
    shutil.copy(EXAMPLES / "sib200.yaml", tmp_path)
    shown = show_cell(load_cell(find_task("sib200.yaml", folder=tmp_path), "it", sources={}), item_id="431")
    assert "  | Text: La Turchia si affaccia al mare su tre lati" in shown
    assert "  | Topic:⟦ geography⟧" in shown
