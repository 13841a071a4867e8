"""AdamW for several adapters in one tensor, each with its own learning rate."""

from collections.abc import Sequence

import torch
from torch import Tensor

_BETA_1, _BETA_2, _EPSILON = 0.9, 0.999, 1e-8


class StackedAdamW:
    """Decoupled weight decay (Loshchilov and Hutter 2019, algorithm 2) on a (K, parameters) tensor.

    The K rows take the same number of steps, but each at its own rate: what ``torch.optim.AdamW`` does to each alone.
    """

    def __init__(self, values: Tensor, *, weight_decay: float) -> None:
        self._values = values
        self._weight_decay = weight_decay
        self._mean = torch.zeros_like(values)
        self._square = torch.zeros_like(values)
        self._n_steps = 0

    def step(self, gradients: Tensor, rates: Tensor) -> None:
        """One step down ``gradients`` at ``rates`` (K, 1)."""
        self._n_steps += 1
        if self._weight_decay:
            self._values.mul_(1.0 - rates * self._weight_decay)
        self._mean.lerp_(gradients, 1.0 - _BETA_1)
        self._square.mul_(_BETA_2).addcmul_(gradients, gradients, value=1.0 - _BETA_2)
        root = (self._square / (1.0 - _BETA_2**self._n_steps)).sqrt_().add_(_EPSILON)
        self._values.addcmul_(self._mean / root, rates / (1.0 - _BETA_1**self._n_steps), value=-1.0)

    def only(self, values: Tensor, places: Sequence[int]) -> "StackedAdamW":
        """The optimiser of some of the rows, which are now ``values``."""
        chosen = list(places)
        smaller = StackedAdamW(values, weight_decay=self._weight_decay)
        smaller._mean, smaller._square = self._mean[chosen], self._square[chosen]
        smaller._n_steps = self._n_steps
        return smaller


def clip_rows(gradients: Tensor, largest: float) -> Tensor:
    """Scale each row down to a norm of at most ``largest``, as ``torch.nn.utils.clip_grad_norm_``; the norms (K,)."""
    norms: Tensor = torch.linalg.vector_norm(gradients, dim=1)
    gradients.mul_((largest / (norms + 1e-6)).clamp(max=1.0)[:, None])
    return norms
