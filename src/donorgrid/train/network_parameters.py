"""Training parameters that stand in the network itself (DoRA, full fine-tuning): autograd goes through its layers."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import accumulate
from typing import Any

import torch
from torch import Tensor


class NetworkParameters:
    """One training (K = 1) whose parameters are tensors of the network; a ``Trainable``.

    Attributes
    ----------
    values
        The numbers (1, n_parameters; float32) that the optimizer changes.
    """

    def __init__(
        self,
        values: Tensor,
        parameters: Mapping[str, Tensor],
        apply_values: Callable[[], object],
        change_gradients: Callable[[], Tensor],
    ) -> None:
        """``parameters`` are the network's tensors by name, in the order of ``values``.

        ``apply_values`` makes the network compute with the present values. ``change_gradients`` gives the gradients
        (1, n_parameters) of ½ ‖W' - W0‖² at the present values.
        """
        self.values = values
        self._parameters = parameters
        self._apply_values = apply_values
        self._change_gradients = change_gradients

    def __len__(self) -> int:
        return len(self.values)

    def select(self, indices: Sequence[int]) -> "NetworkParameters":
        """Itself for its only index, or an empty training without one."""
        if len(indices) == len(self):
            return self
        return NetworkParameters(self.values[:0], self._parameters, self._apply_values, self._change_gradients)

    def gradients(self, loss: Tensor) -> Tensor:
        """The gradients (1, n_parameters; float32), zero for parameters that the loss does not depend on.

        Experts that no token reached are such parameters.
        """
        gradients = torch.autograd.grad(loss, list(self._parameters.values()), materialize_grads=True)
        return torch.cat([gradient.flatten().float() for gradient in gradients])[None]

    def change_gradients(self) -> Tensor:
        """The gradients (1, n_parameters) of ½ ‖W' - W0‖², summed over the changed weights."""
        return self._change_gradients()

    @contextmanager
    def active(self, _: Any, *, n_tokens: int) -> Iterator[None]:
        """While the body runs, the network computes with the values; all tokens belong to the one training."""
        del n_tokens
        self._apply_values()
        yield


def flatten_tensors(tensors: Mapping[str, Tensor]) -> Tensor:
    """Tensors one after the other as float32 values (1, n_parameters)."""
    return torch.cat([tensor.detach().flatten().float() for tensor in tensors.values()])[None]


def split_values(values: Tensor, shapes: Mapping[str, tuple[int, ...]]) -> dict[str, Tensor]:
    """The inverse of ``flatten_tensors`` for one row.

    Parameters
    ----------
    values
        A vector (n_parameters,).
    shapes
        The shape of each tensor by name, in the order in which the tensors lie in ``values``.

    Returns
    -------
    dict
        Views of ``values`` by name.
    """
    sizes = [math.prod(shape) for shape in shapes.values()]
    starts = accumulate(sizes, initial=0)
    return {
        name: values[start : start + size].view(shape)
        for (name, shape), start, size in zip(shapes.items(), starts, sizes, strict=False)
    }
