"""What the model reads for one option: the last ``max_length + 1`` tokens, of which the last one is only predicted."""

from donorgrid.core.records import Cell, Item
from donorgrid.score.encode import EncodedItem
from donorgrid.score.sequences import ScoredSequence, scored_sequence

ITEM = EncodedItem(
    item=Item(id="q", cell=Cell(task="t", language="en"), context="", choices=("a", "b"), answer=0),
    context=(1, 2, 3, 4),
    continuations=((5, 6), (7,)),
)


def test_text_as_long_as_the_model_plus_the_predicted_token_is_whole() -> None:
    assert scored_sequence(ITEM, (5, 6), 5) == ScoredSequence((1, 2, 3, 4, 5, 6), 2)


def test_longer_text_loses_exactly_the_tokens_at_its_beginning_that_do_not_fit() -> None:
    assert scored_sequence(ITEM, (5, 6), 4) == ScoredSequence((2, 3, 4, 5, 6), 2)
    assert scored_sequence(ITEM, (5, 6), 3) == ScoredSequence((3, 4, 5, 6), 2)


def test_a_token_without_anything_to_its_left_is_not_scored() -> None:
    assert scored_sequence(ITEM, (5, 6), 2) == ScoredSequence((4, 5, 6), 2)
    assert scored_sequence(ITEM, (5, 6), 1) == ScoredSequence((5, 6), 1)
