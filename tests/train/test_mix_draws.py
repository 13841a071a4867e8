"""A mix: every part follows its weight, and draws its own texts."""

from donorgrid.core.records import Cell, Recipe, Run, Source, TrainingText
from donorgrid.train.text_selection import select_texts

CELLS = tuple(Cell(task="quiz", language=language) for language in ("de", "en", "it"))
TEXTS = {
    cell: tuple(TrainingText(item_id=str(number), prompt=cell.language, target=" a") for number in range(20))
    for cell in CELLS
}


def drawn(*weights: float, train_size: int) -> list[list[str]]:
    """The item IDs of each part."""
    source = Source(kind="mix", name="m", parts=tuple(zip(CELLS, weights, strict=False)))
    run = Run(model="m", source=source, recipe=Recipe(name="r"), train_seed=1, train_size=train_size)
    texts = select_texts(run, TEXTS)
    return [[text.item_id for text in texts if text.prompt == cell.language] for cell in source.cells]


def test_aligned_parts_of_a_mix_give_different_items() -> None:
    first, second = drawn(0.5, 0.5, train_size=20)
    assert len(first) == len(second) == 10
    assert set(first) != set(second)


def test_what_is_left_over_goes_to_the_part_that_lacks_most() -> None:
    assert [len(part) for part in drawn(0.29, 0.56, 0.15, train_size=10)] == [3, 6, 1]  # of 2.9, 5.6 and 1.5
