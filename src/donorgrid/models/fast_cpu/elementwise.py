"""What decoders do to each token alone, with the gradients by hand: norms, rotary positions, gated units, softmax.

Tensors are (tokens, width), float32, contiguous. A norm or a rotation may concern some of the columns only: the heads
of the queries, say, which lie side by side.
"""

import numpy as np
import torch
from torch import Tensor

from donorgrid.models.fast_cpu.compiled import Floats, compiled, exponential
from donorgrid.models.fast_cpu.threads import run_in_threads


def rms_norm(x: Tensor, weight: Tensor, eps: float) -> tuple[Tensor, Tensor]:
    """``x / rms(x) * weight`` over the last dimension, and 1 / rms (Zhang and Sennrich 2019, equation 4)."""
    normed, inverse = torch.empty_like(x), x.new_empty(len(x), 1)
    _norm_from(x, 0, weight, eps, normed, inverse)
    return normed, inverse


def rms_norm_backward(dy: Tensor, x: Tensor, inverse: Tensor, weight: Tensor, *, into: Tensor) -> Tensor:
    """Add the gradient of the input of ``rms_norm`` to ``into``, in place."""
    _norm_from_backward(dy, 0, x, inverse, weight, into, 1.0)
    return into


def norm_heads(x: Tensor, start: int, n_heads: int, weight: Tensor, eps: float) -> tuple[Tensor, Tensor]:
    """Norm each of the heads from column ``start`` on, in place; what they were, and 1 / rms (tokens, heads)."""
    raw = x[:, start : start + n_heads * len(weight)].contiguous()
    inverse = x.new_empty(len(x), n_heads)
    _norm_from(raw, start, weight, eps, x, inverse)
    return raw, inverse


def norm_heads_backward(dx: Tensor, start: int, raw: Tensor, inverse: Tensor, weight: Tensor) -> None:
    """From the gradient of what ``norm_heads`` gave to that of what it read, in place."""
    _norm_from_backward(dx, start, raw, inverse, weight, dx, 0.0)


class Rotary:
    """Rotary positions (Su et al. 2021) of the first ``n_heads`` heads of each token.

    ``cosines`` and ``sines`` are (tokens, size), a head's halves alike, as transformers' models make them.
    """

    def __init__(self, cosines: Tensor, sines: Tensor, *, n_heads: int) -> None:
        half = cosines.shape[-1] // 2
        self._cosines = cosines[:, :half].contiguous().numpy()
        self._sines = sines[:, :half].contiguous().numpy()
        self._n_heads = n_heads

    def turn(self, x: Tensor) -> None:
        """Turn each head by its token's position, in place."""
        self._turn(x.numpy(), 1.0)

    def turn_back(self, x: Tensor) -> None:
        """The inverse, which is also the gradient."""
        self._turn(x.numpy(), -1.0)

    def _turn(self, x: Floats, sign: float) -> None:
        def part(start: int, stop: int) -> None:
            _turn(x[start:stop], self._cosines[start:stop], self._sines[start:stop], sign, self._n_heads)

        run_in_threads(part, len(x), n_numbers=x.size)


def gated(both: Tensor) -> Tensor:
    """``silu(gate) * up`` of gate and up side by side (Shazeer 2020)."""
    units = both.new_empty(len(both), both.shape[1] // 2)
    read, write = both.numpy(), units.numpy()
    run_in_threads(lambda start, stop: _gate(read[start:stop], write[start:stop]), len(read), n_numbers=2 * read.size)
    return units


def gated_backward(dy: Tensor, both: Tensor) -> Tensor:
    """The gradients of gate and up side by side, which overwrite them."""
    read, write = dy.numpy(), both.numpy()
    run_in_threads(
        lambda start, stop: _gate_backward(read[start:stop], write[start:stop]), len(read), n_numbers=2 * write.size
    )
    return both


def logsumexp_rows(logits: Tensor) -> Tensor:
    """The logarithm of the sum of the exponentials of each row, (n,)."""
    sums, largest = logits.new_empty(len(logits)), logits.amax(-1)
    read, most, write = logits.numpy(), largest.numpy(), sums.numpy()

    def part(start: int, stop: int) -> None:
        _sum_exponentials(read[start:stop], most[start:stop], write[start:stop])

    run_in_threads(part, len(read), n_numbers=read.size)
    return sums.log_().add_(largest)


def _norm_from(x: Tensor, start: int, weight: Tensor, eps: float, normed: Tensor, inverse: Tensor) -> None:
    read, scales, write, inverses = x.numpy(), weight.detach().numpy(), normed.numpy(), inverse.numpy()

    def part(first: int, last: int) -> None:
        _norm(read[first:last], start, scales, eps, write[first:last], inverses[first:last])

    run_in_threads(part, len(read), n_numbers=2 * read.size)


def _norm_from_backward(
    dy: Tensor, start: int, x: Tensor, inverse: Tensor, weight: Tensor, into: Tensor, kept: float
) -> None:
    slopes, read, write = dy.numpy(), x.numpy(), into.numpy()
    inverses, scales = inverse.numpy(), weight.detach().numpy()

    def part(first: int, last: int) -> None:
        span = slice(first, last)
        _norm_backward(slopes[span], start, read[span], inverses[span], scales, write[span], kept)

    run_in_threads(part, len(read), n_numbers=3 * read.size)


@compiled
def _norm(x: Floats, start: int, weight: Floats, eps: float, normed: Floats, inverse: Floats) -> None:
    """Norm each ``len(weight)`` columns of ``x`` into those of ``normed`` from ``start`` on."""
    size = len(weight)
    for token in range(x.shape[0]):
        for group in range(inverse.shape[1]):
            read = x[token, group * size : (group + 1) * size]
            write = normed[token, start + group * size : start + (group + 1) * size]
            squares = np.float32(0.0)
            for place in range(size):
                squares += read[place] * read[place]
            scale = np.float32(1.0 / np.sqrt(squares / size + eps))
            inverse[token, group] = scale
            for place in range(size):
                write[place] = read[place] * scale * weight[place]


@compiled
def _norm_backward(
    dy: Floats, start: int, x: Floats, inverse: Floats, weight: Floats, into: Floats, kept: float
) -> None:
    """The gradient by ``x`` from that of the columns of ``dy`` from ``start`` on.

    It is added to ``kept`` times the same columns of ``into``, which may be those of ``dy``.
    """
    size, factor = len(weight), np.float32(kept)
    for token in range(x.shape[0]):
        for group in range(inverse.shape[1]):
            read = x[token, group * size : (group + 1) * size]
            slopes = dy[token, start + group * size : start + (group + 1) * size]
            write = into[token, start + group * size : start + (group + 1) * size]
            along = np.float32(0.0)
            for place in range(size):
                along += slopes[place] * weight[place] * read[place]
            scale = inverse[token, group]
            along *= -scale * scale * scale / np.float32(size)
            for place in range(size):
                write[place] = factor * write[place] + slopes[place] * weight[place] * scale + read[place] * along


@compiled
def _turn(x: Floats, cosines: Floats, sines: Floats, sign: float, n_heads: int) -> None:
    half, factor = cosines.shape[1], np.float32(sign)
    for token in range(x.shape[0]):
        for head in range(n_heads):
            first, second = 2 * head * half, (2 * head + 1) * half
            for place in range(half):
                one, other = x[token, first + place], x[token, second + place]
                sine = factor * sines[token, place]
                x[token, first + place] = one * cosines[token, place] - other * sine
                x[token, second + place] = other * cosines[token, place] + one * sine


@compiled
def _gate(both: Floats, units: Floats) -> None:
    width = units.shape[1]
    for token in range(units.shape[0]):
        for unit in range(width):
            gate = both[token, unit]
            opened = gate / (np.float32(1.0) + exponential(-gate))
            units[token, unit] = opened * both[token, width + unit]


@compiled
def _gate_backward(dy: Floats, both: Floats) -> None:
    width = dy.shape[1]
    one = np.float32(1.0)
    for token in range(dy.shape[0]):
        for unit in range(width):
            gate, up, slope = both[token, unit], both[token, width + unit], dy[token, unit]
            share = one / (one + exponential(-gate))
            both[token, unit] = slope * up * share * (one + gate * (one - share))
            both[token, width + unit] = slope * gate * share


@compiled
def _sum_exponentials(logits: Floats, largest: Floats, found: Floats) -> None:
    for number in range(logits.shape[0]):
        row, total = logits[number], np.float32(0.0)
        for place in range(len(row)):
            total += exponential(row[place] - largest[number])
        found[number] = total
