"""What the model reads for one option, and which of its tokens are scored."""

from dataclasses import dataclass

from donorgrid.score.encode import EncodedItem


@dataclass(frozen=True)
class ScoredSequence:
    """One (context, option): all its tokens, of which the last ``n`` are scored. The last one is never read."""

    token_ids: tuple[int, ...]
    n: int


def sequence_of(item: EncodedItem, tail: tuple[int, ...], max_length: int) -> ScoredSequence:
    """The last ``max_length + 1`` tokens of context + option."""
    ids = (*item.context, *tail)[-(max_length + 1) :]
    return ScoredSequence(ids, min(len(tail), len(ids) - 1))
