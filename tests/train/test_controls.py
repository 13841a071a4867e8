"""Controls: what is taken away from the texts, and what every train seed draws anew."""

from dataclasses import replace

import numpy as np

from donorgrid.core.records import Cell, Recipe, Run, Source, TrainingText
from donorgrid.train.controls import content_free, shuffled
from donorgrid.train.text_selection import select_texts

CELL = Cell(task="colours", language="de")
ALTERNATIVES = (" a", " b", " c")
TEXTS = tuple(
    TrainingText(
        item_id=str(index), prompt="?", target=ALTERNATIVES[index % 3], answer=index % 3, alternatives=ALTERNATIVES
    )
    for index in range(30)
)


def test_shuffled_answers_differ_from_the_right_ones_and_keep_their_counts() -> None:
    dealt = shuffled(TEXTS, np.random.default_rng(0))
    assert 10 <= sum(one.answer != text.answer for one, text in zip(dealt, TEXTS, strict=True)) <= 28
    assert sorted(one.answer for one in dealt) == sorted(text.answer for text in TEXTS)


def test_answers_are_dealt_among_items_with_equally_many_choices() -> None:
    few = tuple(replace(text, alternatives=ALTERNATIVES[:2], answer=index % 2) for index, text in enumerate(TEXTS))
    dealt = shuffled((*TEXTS, *few), np.random.default_rng(0))
    assert sorted(one.answer for one in dealt[30:]) == sorted(text.answer for text in few)
    assert all(one.target == one.alternatives[one.answer] for one in dealt)


def test_every_train_seed_and_every_data_seed_draws_its_own_control() -> None:
    for control in ("shuffled", "content-free"):
        source = Source.of_control(control, CELL)
        drawn = {
            (train_seed, data_seed): tuple(
                text.answer
                for text in select_texts(
                    Run(
                        model="m",
                        source=source,
                        recipe=Recipe(name="r"),
                        train_seed=train_seed,
                        data_seed=data_seed,
                    ),
                    {CELL: TEXTS},
                )
            )
            for train_seed in (17, 42)
            for data_seed in (0, 1)
        }
        assert len(set(drawn.values())) == 4


def test_words_of_every_text_stay_and_others_become_as_many_marks() -> None:
    texts = [replace(TEXTS[0], prompt=f"Frage {word}?") for word in ("rot", "blau")]
    emptied = content_free(texts, np.random.default_rng(0))
    assert [one.prompt for one in emptied] == ["Frage ___?", "Frage ____?"]
