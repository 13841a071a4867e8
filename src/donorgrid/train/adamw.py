"""AdamW for several adapters in one tensor, each with its own learning rate."""

from collections.abc import Sequence

import torch
from torch import Tensor


class StackedAdamW:
    """torch's fused AdamW (Loshchilov and Hutter 2019, algorithm 2); each row of (K, n_parameters) is a parameter."""

    def __init__(self, values: Tensor, *, weight_decay: float) -> None:
        self._rows = [torch.nn.Parameter(row) for row in values.detach()]
        self._optimizer = torch.optim.AdamW(
            [{"params": [row]} for row in self._rows], weight_decay=weight_decay, fused=True
        )

    def step(self, gradients: Tensor, learning_rates: Sequence[float]) -> None:
        """Takes one step down ``gradients`` (K, n_parameters), each row at its own learning rate."""
        groups = self._optimizer.param_groups
        for row, gradient, group, rate in zip(self._rows, gradients, groups, learning_rates, strict=True):
            row.grad = gradient
            group["lr"] = rate
        self._optimizer.step()

    def select(self, values: Tensor, indices: Sequence[int]) -> "StackedAdamW":
        """The optimizer of some of the rows, with their state.

        Parameters
        ----------
        values
            The values of these rows (len(indices), n_parameters), which the new optimizer changes.
        indices
            The rows that stay.
        """
        smaller = StackedAdamW(values, weight_decay=self._optimizer.defaults["weight_decay"])
        for row, index in zip(smaller._rows, indices, strict=True):
            smaller._optimizer.state[row] = dict(self._optimizer.state[self._rows[index]])
        return smaller


def clip_rows(gradients: Tensor, max_norm: float) -> Tensor:
    """Scales each row down to a norm of at most ``max_norm``, in place, as ``torch.nn.utils.clip_grad_norm_`` does.

    Parameters
    ----------
    gradients
        (K, n_parameters); changed in place.
    max_norm
        The largest L2 norm that a row keeps.

    Returns
    -------
    Tensor
        The norms (K,) before clipping.
    """
    norms: Tensor = torch.linalg.vector_norm(gradients, dim=1)
    gradients.mul_((max_norm / (norms + 1e-6)).clamp(max=1.0)[:, None])
    return norms
