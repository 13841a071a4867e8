"""Imported targets with nearly one right answer, told by the lengths of choices."""

import polars as pl

from donorgrid.analyse.reading.one_class import one_class_targets


def answers(task: str, gold: list[int], lengths: list[list[int]]) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "target_task": [task] * len(gold),
            "target_language": ["en"] * len(gold),
            "answer": gold,
            "choice_lengths": lengths,
        },
        schema_overrides={"choice_lengths": pl.List(pl.Int32)},
    )


def test_shared_labels_with_one_right_answer_are_named_and_choices_of_their_own_are_not() -> None:
    labels, own = [[18, 6, 8]] * 20, [[10 + number, 7, 30] for number in range(20)]
    frame = pl.concat(
        [
            answers("sorted", [0] * 18 + [1, 2], labels),
            answers("sound", [0] * 17 + [1, 2, 1], labels),
            answers("truth", [0] * 20, own),
            answers("few", [0] * 5, labels[:5]),
            answers("written", [0] * 20, [[]] * 20),
        ]
    )
    assert one_class_targets(frame) == {"sorted/en": "18 of 20 items have the same right answer, 'choice 1'"}
