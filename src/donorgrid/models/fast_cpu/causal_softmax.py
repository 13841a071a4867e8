"""The softmax of attention scores under the mask of a token row, and its gradient, on small matrices."""

import numpy as np

from donorgrid.models.fast_cpu.compiled import Floats, Ints, exponential, inlined
from donorgrid.models.fast_cpu.small_products import ROWS, padded_width

_MASKED_SCORE = np.float32(-3e38)
_LOWEST_INT = np.int32(-(2**31))


@inlined
def _ordered_int(x: np.float32) -> np.int32:
    """Maps a number to an integer so that larger numbers have larger integers.

    The compiler vectorises a loop over the largest integer, but not over the largest float.
    """
    bits = np.float32(x).view(np.int32)
    return bits ^ ((bits >> np.int32(31)) & np.int32(0x7FFFFFFF))


@inlined
def _number_of_ordered_int(integer: np.int32) -> np.float32:
    """The inverse of ``_ordered_int``."""
    return np.int32(integer ^ ((integer >> np.int32(31)) & np.int32(0x7FFFFFFF))).view(np.float32)


@inlined
def causal_softmax(
    scores: Floats, first: int, length: int, attended_until: Ints, position_ids: Ints, window: int
) -> None:
    """Turns scores into attention weights in place, for the queries ``first`` to ``length``.

    Query q attends to key k if ``k <= q < attended_until[k]`` and their positions are less than ``window`` apart. The
    other weights are 0, up to the next full vector.

    Parameters
    ----------
    scores
        One row per query and one column per key.
    first, length
        The range of the queries.
    attended_until, position_ids
        One number per token of the row.
    window
        The sliding window in positions.
    """
    for query in range(first, length):
        row, query_index, window_end = scores[query], np.int32(query), position_ids[query] - window
        n_columns = padded_width(query + 1)
        for key in range(n_columns):
            is_attended = (
                (np.int32(key) <= query_index) & (attended_until[key] > query_index) & (position_ids[key] > window_end)
            )
            row[key] = row[key] if is_attended else _MASKED_SCORE
        largest_int = _LOWEST_INT
        for key in range(n_columns):
            score = _ordered_int(row[key])
            largest_int = score if score > largest_int else largest_int
        largest, total = _number_of_ordered_int(largest_int), np.float32(0.0)
        for key in range(n_columns):
            weight = exponential(row[key] - largest)
            row[key] = weight
            total += weight
        inverse = np.float32(1.0) / total
        for key in range(n_columns):
            row[key] *= inverse


@inlined
def save_weights(saved: Floats, start: int, weights: Floats, first: int, length: int) -> None:
    """Saves the attention weights of one head on and below the diagonal.

    Parameters
    ----------
    saved
        Receives them. The triangle of this head begins at ``start``.
    start
        Where the triangle begins.
    weights
        One row per query and one column per key.
    first, length
        The range of the queries. The triangle has room for the earlier ones too.
    """
    index = start + first * (first + 1) // 2
    for query in range(first, length):
        for key in range(query + 1):
            saved[index + key] = weights[query, key]
        index += query + 1


@inlined
def causal_softmax_backward(
    grad: Floats, weights: Floats, saved: Floats, start: int, first: int, length: int, scaling: float
) -> None:
    """Turns the gradient of the weights into that of the scores before scaling, in place.

    Both matrices are set to 0 above the diagonal, as far as the products read them.

    Parameters
    ----------
    grad
        The gradient of the attention weights, one row per query and one column per key. It is overwritten.
    weights
        Receives the attention weights.
    saved, start
        Where ``save_weights`` wrote them.
    first, length
        The range of the queries.
    scaling
        The factor of the scores.
    """
    factor = np.float32(scaling)
    index = start + first * (first + 1) // 2
    for query in range(first, length):
        grad_row, saved_row, weights_row = grad[query], saved[index : index + query + 1], weights[query]
        mean = np.float32(0.0)
        for key in range(query + 1):
            mean += saved_row[key] * grad_row[key]
        for key in range(query + 1):
            weights_row[key] = saved_row[key]
            grad_row[key] = saved_row[key] * (grad_row[key] - mean) * factor
        for key in range(query + 1, (query + ROWS) // ROWS * ROWS):
            weights_row[key], grad_row[key] = 0.0, 0.0
        index += query + 1
