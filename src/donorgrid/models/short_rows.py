"""Attention within short rows, compiled: no fillers, no copies in memory, and nothing computed above the diagonal.

Each head of a row is put into small matrices that stay in the processor's first cache. Their products are computed two
rows at a time, which lets what is read be used twice.
"""

import numpy as np

from donorgrid.models.compiled import Floats, Ints, compiled, exponential

# Matrices are as wide as whole vectors of this many numbers.
_LANES = 16
_UNSEEN = np.float32(-3e38)


@compiled
def _two_rows(into: Floats, left: Floats, right: Floats, row: int, first: int, last: int, width: int) -> None:
    """``into[row : row + 2, :width] = left[row : row + 2, first:last] @ right[first:last, :width]``."""
    one, other = into[row], into[row + 1]
    for place in range(width):
        one[place], other[place] = 0.0, 0.0
    inner = first
    while inner + 4 <= last:
        a, b, c, d = left[row, inner], left[row, inner + 1], left[row, inner + 2], left[row, inner + 3]
        e, f, g, h = left[row + 1, inner], left[row + 1, inner + 1], left[row + 1, inner + 2], left[row + 1, inner + 3]
        p, q, r, s = right[inner], right[inner + 1], right[inner + 2], right[inner + 3]
        for place in range(width):
            v, w, x, y = p[place], q[place], r[place], s[place]
            one[place] += a * v + b * w + c * x + d * y
            other[place] += e * v + f * w + g * x + h * y
        inner += 4
    while inner < last:
        a, e, p = left[row, inner], left[row + 1, inner], right[inner]
        for place in range(width):
            one[place] += a * p[place]
            other[place] += e * p[place]
        inner += 1


@compiled
def _softmax(scores: Floats, ends: Ints, depths: Ints, window: int) -> None:
    """The softmax of each row of scores over the tokens that its token sees, in place; 0 for those that it does not."""
    length, wide = len(ends), _padded(len(ends))
    for token in range(length):
        row, nearest = scores[token], depths[token] - window
        largest = row[token]
        for other in range(token):
            score = row[other] if (ends[other] > token) & (depths[other] > nearest) else _UNSEEN
            row[other] = score
            largest = score if score > largest else largest
        for other in range(token + 1):
            row[other] -= largest
        for other in range(token + 1, wide):
            row[other] = _UNSEEN
    together = scores.reshape(-1)
    for place in range(length * scores.shape[1]):
        together[place] = exponential(together[place])
    for token in range(length):
        row, total = scores[token], np.float32(0.0)
        for other in range(wide):
            total += row[other]
        inverse = np.float32(1.0) / total
        for other in range(wide):
            row[other] *= inverse


@compiled
def _softmax_backward(
    of_shares: Floats, shares: Floats, at: int, length: int, scale: float, turned: Floats, of_turned: Floats
) -> int:
    """The gradient of the scores in the place of that of their softmax, whose numbers begin at ``at``; where they end.

    ``turned`` and ``of_turned`` become the shares and the gradient with rows and columns exchanged.
    """
    factor = np.float32(scale)
    for token in range(length):
        row, kept, mean = of_shares[token], shares[at : at + token + 1], np.float32(0.0)
        for other in range(token + 1):
            mean += kept[other] * row[other]
        for other in range(token + 1):
            row[other] = kept[other] * (row[other] - mean) * factor
        for other in range(token + 1):
            turned[other, token], of_turned[other, token] = kept[other], row[other]
        row[token + 1] = 0.0
        turned[token + 1, token], of_turned[token + 1, token] = 0.0, 0.0
        at += token + 1
    return at


@compiled
def _take(into: Floats, tokens: Floats, start: int, length: int, column: int, factor: float) -> None:
    """The columns of a head from ``column`` on, times ``factor``, as a small matrix (length, size)."""
    times = np.float32(factor)
    for token in range(length):
        read, write = tokens[start + token, column : column + into.shape[1]], into[token]
        for place in range(len(write)):
            write[place] = read[place] * times


@compiled
def _take_turned(into: Floats, tokens: Floats, start: int, length: int, column: int) -> None:
    """The same as (size, length)."""
    for token in range(length):
        read = tokens[start + token, column : column + into.shape[0]]
        for place in range(len(read)):
            into[place, token] = read[place]


@compiled
def _put(tokens: Floats, small: Floats, start: int, length: int, column: int) -> None:
    for token in range(length):
        write, read = tokens[start + token, column : column + small.shape[1]], small[token]
        for place in range(len(read)):
            write[place] = read[place]


@compiled
def _clear(small: Floats) -> None:
    for row in range(small.shape[0]):
        for place in range(small.shape[1]):
            small[row, place] = 0.0


@compiled
def _add(into: Floats, small: Floats) -> None:
    for row in range(small.shape[0]):
        for place in range(small.shape[1]):
            into[row, place] += small[row, place]


@compiled
def _longest(starts: Ints) -> int:
    longest = 0
    for row in range(len(starts) - 1):
        longest = max(longest, starts[row + 1] - starts[row])
    return longest


@compiled
def _padded(length: int) -> int:
    """One more than ``length``, as rows come in twos, in whole vectors."""
    return (length + _LANES) // _LANES * _LANES


@compiled
def attend(
    qkv: Floats, starts: Ints, ends: Ints, depths: Ints, window: int, n: int, n_shared: int, scale: float,
    found: Floats, shares: Floats,
) -> None:  # fmt: skip
    """Write what each token reads, (tokens, n * size), into ``found``.

    ``qkv`` holds the queries, keys and values of each token side by side, ``n`` heads of queries and ``n_shared`` of
    keys and of values. Row r is the tokens from ``starts[r]`` to ``starts[r + 1]``; within it, token i sees token j
    when ``j <= i < ends[j]`` and they are less than ``window`` apart in depth. ``shares`` keeps the softmax below the
    diagonal, row by row and head by head, for the gradient; it is empty where that is not wanted.
    """
    size, longest = qkv.shape[1] // (n + 2 * n_shared), _padded(_longest(starts))
    queries, seen = np.zeros((longest, size), np.float32), np.zeros((longest, size), np.float32)
    keys, values = np.zeros((size, longest), np.float32), np.zeros((longest, size), np.float32)
    scores, at = np.zeros((longest, longest), np.float32), 0
    for row in range(len(starts) - 1):
        start, length = starts[row], starts[row + 1] - starts[row]
        for shared in range(n_shared):
            _take_turned(keys, qkv, start, length, (n + shared) * size)
            _take(values, qkv, start, length, (n + n_shared + shared) * size, 1.0)
            for head in range(shared * (n // n_shared), (shared + 1) * (n // n_shared)):
                _take(queries, qkv, start, length, head * size, scale)
                for token in range(0, length, 2):
                    _two_rows(scores, queries, keys, token, 0, size, _padded(min(token + 2, length)))
                _softmax(scores, ends[start : start + length], depths[start : start + length], window)
                for token in range(0, length, 2):
                    _two_rows(seen, scores, values, token, 0, min(token + 2, length), size)
                _put(found, seen, start, length, head * size)
                if len(shares) > 0:
                    for token in range(length):
                        for other in range(token + 1):
                            shares[at + other] = scores[token, other]
                        at += token + 1


@compiled
def attend_backward(
    qkv: Floats, starts: Ints, n: int, n_shared: int, scale: float, of_found: Floats, shares: Floats
) -> None:
    """From the gradient of what ``attend`` found to that of queries, keys and values, which overwrites them."""
    size, longest = qkv.shape[1] // (n + 2 * n_shared), _padded(_longest(starts))
    queries, keys = np.zeros((longest, size), np.float32), np.zeros((longest, size), np.float32)
    values, of_seen = np.zeros((size, longest), np.float32), np.zeros((longest, size), np.float32)
    of_scores, found = np.zeros((longest, longest), np.float32), np.zeros((longest, size), np.float32)
    turned, of_turned = np.zeros((longest, longest), np.float32), np.zeros((longest, longest), np.float32)
    of_keys, of_values, at = np.zeros((longest, size), np.float32), np.zeros((longest, size), np.float32), 0
    for row in range(len(starts) - 1):
        start, length = starts[row], starts[row + 1] - starts[row]
        for shared in range(n_shared):
            _take(keys, qkv, start, length, (n + shared) * size, 1.0)
            _take_turned(values, qkv, start, length, (n + n_shared + shared) * size)
            _clear(of_keys)
            _clear(of_values)
            for head in range(shared * (n // n_shared), (shared + 1) * (n // n_shared)):
                _take(queries, qkv, start, length, head * size, 1.0)
                _take(of_seen, of_found, start, length, head * size, 1.0)
                for token in range(0, length, 2):
                    _two_rows(of_scores, of_seen, values, token, 0, size, _padded(min(token + 2, length)))
                at = _softmax_backward(of_scores, shares, at, length, scale, turned, of_turned)
                for token in range(0, length, 2):
                    _two_rows(found, of_scores, keys, token, 0, min(token + 2, length), size)
                _put(qkv, found, start, length, head * size)
                for token in range(0, length, 2):
                    _two_rows(found, turned, of_seen, token, token, length, size)
                _add(of_values, found)
                for token in range(0, length, 2):
                    _two_rows(found, of_turned, queries, token, token, length, size)
                _add(of_keys, found)
            _put(qkv, of_keys, start, length, (n + shared) * size)
            _put(qkv, of_values, start, length, (n + n_shared + shared) * size)
