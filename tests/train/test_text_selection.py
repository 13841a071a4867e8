"""Which texts a run sees."""

import numpy as np
import pytest
from datasets import Dataset

from donorgrid.core.errors import InputError
from donorgrid.core.records import Cell, Recipe, Run, Source, TrainingText
from donorgrid.train.text_selection import select_texts, split_texts

DE, EN = Cell(task="colours", language="de"), Cell(task="colours", language="en")


def texts(count: int, language: str = "de") -> tuple[TrainingText, ...]:
    alternatives = (" a", " b", " c")
    return tuple(
        TrainingText(
            item_id=f"{language}{index}",
            prompt="?",
            target=alternatives[index % 3],
            answer=index % 3,
            alternatives=alternatives,
        )
        for index in range(count)
    )


def run(source: Source, **draws: int) -> Run:
    return Run(model="tiny", source=source, recipe=Recipe(name="tiny"), train_seed=17, **draws)


@pytest.mark.parametrize("count", [300, 215])
def test_split_is_the_one_of_datasets(count: int) -> None:
    theirs = Dataset.from_dict({"id": [f"de{index}" for index in range(count)]}).train_test_split(0.1, seed=42)
    ours = split_texts(texts(count), split_seed=42, validation_share=0.1)
    assert [text.item_id for text in ours.train] == theirs["train"]["id"]
    assert [text.item_id for text in ours.validation] == theirs["test"]["id"]


def test_split_that_leaves_nothing_is_an_error() -> None:
    with pytest.raises(InputError, match="1 training texts: too few"):
        split_texts(texts(1), split_seed=42, validation_share=0.1)


def test_a_cell_without_a_size_gives_all_in_order() -> None:
    assert select_texts(run(Source.of_cell(DE)), {DE: texts(7)}) == texts(7)


def test_data_seed_draws_which_texts_and_more_of_one_draw_holds_the_fewer() -> None:
    few = select_texts(run(Source.of_cell(DE), train_size=5, data_seed=1), {DE: texts(20)})
    more = select_texts(run(Source.of_cell(DE), train_size=9, data_seed=1), {DE: texts(20)})
    other = select_texts(run(Source.of_cell(DE), train_size=5, data_seed=2), {DE: texts(20)})
    assert more[:5] == few
    assert few != other
    assert len({text.item_id for text in more}) == 9


def test_mix_shares_by_weight() -> None:
    mix = Source(kind="mix", name="mixed", parts=((DE, 0.75), (EN, 0.25)))
    chosen = select_texts(run(mix), {DE: texts(30), EN: texts(30, "en")})
    assert [text.item_id[:2] for text in chosen] == ["de"] * 23 + ["en"] * 7  # .5 each: the earlier part wins


def test_shuffled_control_keeps_prompts_and_answer_counts() -> None:
    control = Source(kind="control", name="poison", parts=((DE, 1.0),), control="shuffled")
    shuffled = select_texts(run(control), {DE: texts(60)})
    assert [text.item_id for text in shuffled] == [text.item_id for text in texts(60)]
    assert np.bincount([text.answer for text in shuffled]).tolist() == [20, 20, 20]
    assert all(text.target == text.alternatives[text.answer] for text in shuffled)
    assert shuffled != texts(60)


def test_a_content_free_control_keeps_format_and_lengths_and_nothing_else() -> None:
    given = tuple(
        TrainingText(
            item_id=str(number),
            prompt=f"Frage: Was ist {word}?\nA) rot\nB) blau\nAntwort:",
            target=" A",
            answer=0,
            alternatives=(" A", " B"),
        )
        for number, word in enumerate(("Schnee", "Gras", "Meer", "Sand") * 10)
    )
    control = Source(kind="control", name="empty", parts=((DE, 1.0),), control="content-free")
    emptied = select_texts(run(control), {DE: given})
    assert emptied[0].prompt == "Frage: Was ist ______?\nA) rot\nB) blau\nAntwort:"
    assert [len(text.prompt) for text in emptied] == [len(text.prompt) for text in given]
    assert {text.target for text in emptied} == {" A", " B"}
    assert all(text.target == text.alternatives[text.answer] for text in emptied)
    assert emptied == select_texts(run(control), {DE: given})


def test_a_text_without_choices_is_no_control() -> None:
    plain = tuple(TrainingText(item_id=str(number), prompt="a", target=" b") for number in range(3))
    control = Source(kind="control", name="empty", parts=((DE, 1.0),), control="content-free")
    with pytest.raises(InputError, match="'0' has no choices"):
        select_texts(run(control), {DE: plain})


def test_too_few_texts_are_one_line() -> None:
    with pytest.raises(InputError, match=r"8 training texts of 'colours/de' are wanted, it has 7"):
        select_texts(run(Source.of_cell(DE), train_size=8), {DE: texts(7)})
