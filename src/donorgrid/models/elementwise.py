"""What decoders do to each token alone, with the gradients by hand: norms, rotary positions, gated units."""

import torch
from torch import Tensor
from torch.nn.functional import silu


def rms_norm(x: Tensor, weight: Tensor, eps: float) -> tuple[Tensor, Tensor]:
    """``x / rms(x) * weight`` over the last dimension, and 1 / rms (Zhang and Sennrich 2019, equation 4)."""
    squares = torch.linalg.vector_norm(x, dim=-1, keepdim=True).square_()
    inverse = squares.div_(x.shape[-1]).add_(eps).rsqrt_()
    return (x * inverse).mul_(weight), inverse


def rms_norm_backward(dy: Tensor, x: Tensor, inverse: Tensor, weight: Tensor, *, into: Tensor | None = None) -> Tensor:
    """The gradient of the input of ``rms_norm``; added to ``into`` in place where that is given. Overwrites ``dy``."""
    dy.mul_(weight)
    slope = torch.linalg.vecdot(dy, x).unsqueeze(-1).mul_(inverse.pow(3)).div_(-x.shape[-1])
    dx = dy.mul_(inverse) if into is None else into.addcmul_(dy, inverse)
    return dx.addcmul_(x, slope)


class Rotary:
    """Rotary positions (Su et al. 2021) for queries and keys that lie side by side, (tokens, heads * size).

    ``cosines`` and ``sines`` are (tokens, size), a head's halves alike, as transformers' models make them.
    """

    def __init__(self, cosines: Tensor, sines: Tensor, *, n_heads: int) -> None:
        self._size = cosines.shape[-1]
        signed = sines.clone()
        signed[:, : self._size // 2].neg_()
        self._cosines = cosines.repeat(1, n_heads)
        self._sines = signed.repeat(1, n_heads)

    def turn(self, x: Tensor) -> None:
        """Turn each head by its token's position, in place."""
        self._turn(x, 1.0)

    def turn_back(self, x: Tensor) -> None:
        """The inverse, which is also the gradient."""
        self._turn(x, -1.0)

    def _turn(self, x: Tensor, sign: float) -> None:
        swapped = x.view(len(x), -1, self._size).roll(self._size // 2, -1).view(len(x), -1)
        x.mul_(self._cosines).addcmul_(swapped, self._sines, value=sign)


def gated(both: Tensor) -> tuple[Tensor, Tensor]:
    """``silu(gate) * up`` of gate and up side by side (Shazeer 2020), and ``silu(gate)``."""
    gate, up = both.chunk(2, dim=1)
    opened = silu(gate)
    return opened * up, opened


def gated_backward(dy: Tensor, both: Tensor, opened: Tensor) -> Tensor:
    """The gradients of gate and up side by side. Overwrites ``dy``."""
    gate, up = both.chunk(2, dim=1)
    gradients = torch.empty_like(both)
    d_gate, d_up = gradients.chunk(2, dim=1)
    torch.mul(dy, opened, out=d_up)
    torch.ops.aten.silu_backward.grad_input(dy.mul_(up), gate, grad_input=d_gate)
    return gradients
