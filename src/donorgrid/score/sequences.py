"""The tokens that the model reads for one option, and which of them are scored: the rule of truncation."""

from dataclasses import dataclass

from donorgrid.score.encode import EncodedItem


@dataclass(frozen=True)
class ScoredSequence:
    """The tokens of one context + option. The last ``n_scored`` are scored; the last one is predicted, never read."""

    token_ids: tuple[int, ...]
    n_scored: int


def scored_sequence(item: EncodedItem, continuation: tuple[int, ...], max_length: int) -> ScoredSequence:
    """The last ``max_length + 1`` tokens of context + option: the model reads ``max_length`` and predicts one more.

    Parameters
    ----------
    item
        Gives the context.
    continuation
        The tokens of the option, one or more.
    max_length
        The model's longest input in tokens.

    Returns
    -------
    ScoredSequence
        Of an option that is longer than the model's input, only the tokens after the first read one are scored.
    """
    token_ids = (*item.context, *continuation)[-(max_length + 1) :]
    return ScoredSequence(token_ids, min(len(continuation), len(token_ids) - 1))
