"""AdamW for several adapters in one tensor, each with its own learning rate."""

from collections.abc import Sequence

import torch
from torch import Tensor


class StackedAdamW:
    """torch's fused AdamW (Loshchilov and Hutter 2019, algorithm 2), with each row of (K, parameters) a parameter."""

    def __init__(self, values: Tensor, *, weight_decay: float) -> None:
        self._rows = [torch.nn.Parameter(row) for row in values.detach()]
        self._torchs = torch.optim.AdamW(
            [{"params": [row]} for row in self._rows], weight_decay=weight_decay, fused=True
        )

    def step(self, gradients: Tensor, rates: Sequence[float]) -> None:
        """One step down ``gradients`` (K, parameters), each row at its own rate."""
        for row, gradient, group, rate in zip(self._rows, gradients, self._torchs.param_groups, rates, strict=True):
            row.grad = gradient
            group["lr"] = rate
        self._torchs.step()

    def select(self, values: Tensor, places: Sequence[int]) -> "StackedAdamW":
        """The optimiser of some of the rows, which are now ``values``."""
        smaller = StackedAdamW(values, weight_decay=self._torchs.defaults["weight_decay"])
        for row, place in zip(smaller._rows, places, strict=True):
            smaller._torchs.state[row] = dict(self._torchs.state[self._rows[place]])
        return smaller


def clip_rows(gradients: Tensor, largest: float) -> Tensor:
    """Scale each row down to a norm of at most ``largest``, as ``torch.nn.utils.clip_grad_norm_``; the norms (K,)."""
    norms: Tensor = torch.linalg.vector_norm(gradients, dim=1)
    gradients.mul_((largest / (norms + 1e-6)).clamp(max=1.0)[:, None])
    return norms
