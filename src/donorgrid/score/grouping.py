"""Which sequences share a row: those of one item, and several items with a long common prefix.

A row holds its sequences as a prefix tree. Two items share a row if reading their common prefix (a preamble) again
would cost more than the attention between them.
"""

from collections.abc import Sequence

from donorgrid.models.rows import Tokens, common_prefix_length, prefix_tree_row
from donorgrid.score.sequences import ScoredSequence

Sequences = tuple[ScoredSequence, ...]


def group_sequences(
    items: set[frozenset[int]], sequences: Sequences, *, token_cost: float, longest: int
) -> list[list[int]]:
    """Groups sequences into rows. A sequence that two items have is read in the first of them.

    Parameters
    ----------
    items
        The indices of each item's sequences; they share a row.
    sequences
        All sequences.
    token_cost
        What reading one token costs, in pairs of tokens that attend to each other in one layer.
    longest
        The most tokens of a row with several items.

    Returns
    -------
    list of list of int
        The indices of the sequences of each row.
    """
    in_order = sorted(sorted(item, key=lambda index: sequences[index].token_ids) for item in items)
    in_order.sort(key=lambda item: sequences[item[0]].token_ids)
    groups: list[list[int]] = []
    grouped: set[int] = set()
    size = 0
    for item in in_order:
        new = [index for index in item if index not in grouped]
        if not new:
            continue
        grouped.update(new)
        new_size = len(prefix_tree_row(_inputs(new, sequences))[0])
        shared = _shared_prefix(groups[-1], new, sequences) if groups else 0
        joined_size = size + new_size - shared
        saved, extra_pairs = shared * token_cost, joined_size**2 - size**2 - new_size**2
        if saved > extra_pairs and joined_size <= longest:
            groups[-1] += new
            size = joined_size
        else:
            groups.append(new)
            size = new_size
    return groups


def _shared_prefix(group: Sequence[int], new: Sequence[int], sequences: Sequences) -> int:
    """Tokens that the last sequence of a group and the first of the new ones have in common at their beginning."""
    return common_prefix_length(_inputs(group[-1:], sequences)[0], _inputs(new, sequences)[0])


def _inputs(indices: Sequence[int], sequences: Sequences) -> list[Tokens]:
    """The tokens that the model reads of each sequence, sorted: all except the last, which is only predicted."""
    return sorted(sequences[index].token_ids[:-1] for index in indices)
