"""Attention within short rows, compiled: no fillers, no copies in memory, and nothing computed above the diagonal.

Each head of a row is put into small matrices that stay in the processor's first cache (``tiles``).
"""

import numpy as np

from donorgrid.models.fast_cpu.compiled import Floats, Ints, compiled, exponential, inlined
from donorgrid.models.fast_cpu.small_products import ROWS, multiply, multiply_transposed, padded_width

_UNSEEN = np.float32(-3e38)


@inlined
def _in_order(x: np.float32) -> np.int32:
    """A whole number as much larger than another as x is: only of those the compiler finds the largest by vectors."""
    bits = np.float32(x).view(np.int32)
    return bits ^ ((bits >> np.int32(31)) & np.int32(0x7FFFFFFF))


@inlined
def _of_order(number: np.int32) -> np.float32:
    """The inverse of ``_in_order``."""
    return np.int32(number ^ ((number >> np.int32(31)) & np.int32(0x7FFFFFFF))).view(np.float32)


@inlined
def _softmax(scores: Floats, first: int, length: int, attended_until: Ints, position_ids: Ints, window: int) -> None:
    """The softmax of rows of scores over the tokens that their tokens see, in place; 0 for those that they do not."""
    for token in range(first, length):
        row, number, nearest = scores[token], np.int32(token), position_ids[token] - window
        wide = padded_width(token + 1)
        for other in range(wide):
            is_seen = (np.int32(other) <= number) & (attended_until[other] > number) & (position_ids[other] > nearest)
            row[other] = row[other] if is_seen else _UNSEEN
        largest = np.int32(-(2**31))
        for other in range(wide):
            score = _in_order(row[other])
            largest = score if score > largest else largest
        most, total = _of_order(largest), np.float32(0.0)
        for other in range(wide):
            share = exponential(row[other] - most)
            row[other] = share
            total += share
        inverse = np.float32(1.0) / total
        for other in range(wide):
            row[other] *= inverse


@inlined
def _softmax_backward(
    of_shares: Floats, shares: Floats, kept: Floats, at: int, first: int, length: int, scale: float
) -> None:
    """The gradient of the scores in the place of that of their softmax.

    The softmax below the diagonal is kept from ``at`` on, and becomes the matrix ``shares``.
    """
    factor = np.float32(scale)
    at += first * (first + 1) // 2
    for token in range(first, length):
        row, read, write, mean = of_shares[token], kept[at : at + token + 1], shares[token], np.float32(0.0)
        for other in range(token + 1):
            mean += read[other] * row[other]
        for other in range(token + 1):
            write[other] = read[other]
            row[other] = read[other] * (row[other] - mean) * factor
        for other in range(token + 1, _whole_rows(token + 1)):
            write[other], row[other] = 0.0, 0.0
        at += token + 1


@inlined
def _take(
    into: Floats, tokens: Floats, start: int, before: int, length: int, column: int, size: int, factor: float
) -> None:
    """The columns of a head from ``column`` on, times ``factor``, as a small matrix (length, size or more).

    The row's first ``before`` tokens are the very first ones, its own begin at ``start``.
    """
    times = np.float32(factor)
    for token in range(length):
        at = token if token < before else start + token - before
        read, write = tokens[at, column : column + size], into[token]
        for place in range(size):
            write[place] = read[place] * times


@inlined
def _take_turned(into: Floats, tokens: Floats, start: int, before: int, length: int, column: int) -> None:
    """The same as (size, length)."""
    for token in range(length):
        at = token if token < before else start + token - before
        read = tokens[at, column : column + into.shape[0]]
        for place in range(len(read)):
            into[place, token] = read[place]


@inlined
def _put(tokens: Floats, small: Floats, start: int, before: int, length: int, column: int, size: int) -> None:
    """The row's own tokens of a small matrix back to where they were taken from."""
    for token in range(before, length):
        write, read = tokens[start + token - before, column : column + size], small[token]
        for place in range(size):
            write[place] = read[place]


@inlined
def _clear(small: Floats) -> None:
    small[:] = 0.0


@inlined
def _add(into: Floats, small: Floats, length: int) -> None:
    to, read = into.reshape(-1), small.reshape(-1)
    for place in range(length * into.shape[1]):
        to[place] += read[place]


@inlined
def _longest(starts: Ints, before: Ints) -> int:
    longest = 0
    for row in range(len(starts) - 1):
        longest = max(longest, before[row] + starts[row + 1] - starts[row])
    return longest


@inlined
def _whole_rows(n: int) -> int:
    """Rows for ``n`` tokens, as products make so many at once."""
    return (n + ROWS - 1) // ROWS * ROWS


@compiled
def attention_forward(
    qkv: Floats, starts: Ints, before: Ints, firsts: Ints, attended_until: Ints, position_ids: Ints, window: int,
    n: int, n_shared: int, scale: float, found: Floats, shares: Floats,
) -> None:  # fmt: skip
    """Write what each token reads, (tokens, n * size), into ``found``.

    ``qkv`` holds the queries, keys and values of each token side by side, ``n`` heads of queries and ``n_shared`` of
    keys and of values. Row r is the very first ``before[r]`` tokens, a chain that all others of the row are below, and
    then its own from ``starts[r]`` to ``starts[r + 1]``, for which alone something is written. Within the row, token i
    sees token j when ``j <= i < attended_until[j]`` and their positions are less than ``window`` apart. What its tokens
    before the ``firsts[r]``-th read is left out, except for the few just before it. ``shares`` keeps the softmax below
    the diagonal, row by row and head by head, for the gradient; it is empty where that is not wanted.
    """
    size, longest = qkv.shape[1] // (n + 2 * n_shared), padded_width(_longest(starts, before))
    wide = padded_width(size)
    queries, seen = np.zeros((longest, size), np.float32), np.zeros((longest, wide), np.float32)
    keys, values = np.zeros((size, longest), np.float32), np.zeros((longest, wide), np.float32)
    scores, at = np.zeros((longest, longest), np.float32), 0
    own_ends, own_depths = np.zeros(longest, np.int32), np.zeros(longest, np.int32)
    for row in range(len(starts) - 1):
        start, above = starts[row], before[row]
        length, first = above + starts[row + 1] - start, firsts[row] // ROWS * ROWS
        for token in range(above):
            own_ends[token], own_depths[token] = length, token
        for token in range(above, length):
            own_ends[token], own_depths[token] = (
                attended_until[start + token - above],
                position_ids[start + token - above],
            )
        for shared in range(n_shared):
            _take_turned(keys, qkv, start, above, length, (n + shared) * size)
            _take(values, qkv, start, above, length, (n + n_shared + shared) * size, size, 1.0)
            for head in range(shared * (n // n_shared), (shared + 1) * (n // n_shared)):
                _take(queries, qkv, start, above, length, head * size, size, scale)
                for token in range(first, length, ROWS):
                    multiply(scores, queries, keys, token, 0, size, padded_width(token + ROWS))
                _softmax(scores, first, length, own_ends, own_depths, window)
                for token in range(first, length, ROWS):
                    multiply(seen, scores, values, token, 0, min(token + ROWS, length), wide)
                _put(found, seen, start, above, length, head * size, size)
                if len(shares) > 0:
                    place = at + first * (first + 1) // 2
                    for token in range(first, length):
                        for other in range(token + 1):
                            shares[place + other] = scores[token, other]
                        place += token + 1
                    at = place


@compiled
def attention_backward(
    qkv: Floats, starts: Ints, before: Ints, firsts: Ints, n: int, n_shared: int, scale: float, of_found: Floats,
    shares: Floats, of_before: Floats,
) -> None:  # fmt: skip
    """From the gradient of what ``attention_forward`` found to that of queries, keys and values, which overwrites them.

    The gradient of what was left out is taken to be zero. That of the keys and values of the tokens ``before`` each
    row's own is written into ``of_before``, (rows, tokens, keys and values).
    """
    size, longest = qkv.shape[1] // (n + 2 * n_shared), padded_width(_longest(starts, before))
    wide = padded_width(size)
    queries, keys = np.zeros((longest, wide), np.float32), np.zeros((longest, wide), np.float32)
    values, of_seen = np.zeros((size, longest), np.float32), np.zeros((longest, wide), np.float32)
    of_scores, own = np.zeros((longest, longest), np.float32), np.zeros((longest, longest), np.float32)
    of_keys, of_values = np.zeros((longest, wide), np.float32), np.zeros((longest, wide), np.float32)
    found, at = np.zeros((longest, wide), np.float32), 0
    for row in range(len(starts) - 1):
        start, above = starts[row], before[row]
        length, first = above + starts[row + 1] - start, firsts[row] // ROWS * ROWS
        for shared in range(n_shared):
            _take(keys, qkv, start, above, length, (n + shared) * size, size, 1.0)
            _take_turned(values, qkv, start, above, length, (n + n_shared + shared) * size)
            _clear(of_keys)
            _clear(of_values)
            for head in range(shared * (n // n_shared), (shared + 1) * (n // n_shared)):
                _take(queries, qkv, start, above, length, head * size, size, 1.0)
                _take(of_seen, of_found, start, above, length, head * size, size, 1.0)
                _clear(of_seen[:above])
                for token in range(first, length, ROWS):
                    multiply(of_scores, of_seen, values, token, 0, size, padded_width(token + ROWS))
                _softmax_backward(of_scores, own, shares, at, first, length, scale)
                at += length * (length + 1) // 2
                for token in range(0, first, ROWS):
                    found[token : token + ROWS] = 0.0
                for token in range(first, length, ROWS):
                    multiply(found, of_scores, keys, token, 0, min(token + ROWS, length), wide)
                _put(qkv, found, start, above, length, head * size, size)
                for token in range(0, length, ROWS):
                    multiply_transposed(found, own, of_seen, token, max(token, first), length, wide)
                _add(of_values, found, length)
                for token in range(0, length, ROWS):
                    multiply_transposed(found, of_scores, queries, token, max(token, first), length, wide)
                _add(of_keys, found, length)
            _put(qkv, of_keys, start, above, length, (n + shared) * size, size)
            _put(qkv, of_values, start, above, length, (n + n_shared + shared) * size, size)
            _put(of_before[row], of_keys, 0, 0, above, shared * size, size)
            _put(of_before[row], of_values, 0, 0, above, (n_shared + shared) * size, size)
