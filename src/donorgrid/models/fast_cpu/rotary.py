"""Rotary position embeddings, in place, compiled."""

import numpy as np
from torch import Tensor

from donorgrid.models.fast_cpu.compiled import Floats, compiled
from donorgrid.models.fast_cpu.threads import run_in_threads


class Rotary:
    """Rotates the first ``n_heads`` heads of each token by the token's position (Su et al. 2021).

    Parameters
    ----------
    cosines, sines
        ``(n_tokens, head_dim)``, the two halves alike, as transformers' models compute them.
    n_heads
        The number of heads: those of the queries and the keys.
    """

    def __init__(self, cosines: Tensor, sines: Tensor, *, n_heads: int) -> None:
        half = cosines.shape[-1] // 2
        self._cosines = cosines[:, :half].contiguous().numpy()
        self._sines = sines[:, :half].contiguous().numpy()
        self._n_heads = n_heads

    def rotate(self, x: Tensor) -> None:
        """Rotates the heads of ``x``, ``(n_tokens, width)``, in place."""
        self._rotate(x.numpy(), 1.0)

    def rotate_back(self, x: Tensor) -> None:
        """Applies the inverse in place. It also turns the gradient of the rotated heads into that of the heads."""
        self._rotate(x.numpy(), -1.0)

    def _rotate(self, x: Floats, sign: float) -> None:
        def rotate_tokens(start: int, stop: int) -> None:
            _rotate_heads(x[start:stop], self._cosines[start:stop], self._sines[start:stop], sign, self._n_heads)

        run_in_threads(rotate_tokens, len(x), n_numbers=x.size)


@compiled
def _rotate_heads(x: Floats, cosines: Floats, sines: Floats, sign: float, n_heads: int) -> None:
    half, factor = cosines.shape[1], np.float32(sign)
    for token in range(x.shape[0]):
        for head in range(n_heads):
            first_half, second_half = 2 * head * half, (2 * head + 1) * half
            for index in range(half):
                first, second = x[token, first_half + index], x[token, second_half + index]
                sine = factor * sines[token, index]
                x[token, first_half + index] = first * cosines[token, index] - second * sine
                x[token, second_half + index] = second * cosines[token, index] + first * sine
