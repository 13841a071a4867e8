"""Parameters of the network itself, trained alone: autograd goes through the network as it stands."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import accumulate
from typing import Any

import torch
from torch import Tensor


class NetworkParameters:
    """One training (K = 1) whose parameters stand in the network.

    ``values`` (1, parameters; float32) are what the optimiser changes, ``leaves`` the network's own tensors by name, in
    the same order; ``put_on`` makes the network compute with the values.
    """

    def __init__(self, values: Tensor, leaves: Mapping[str, Tensor], put_on: Callable[[], object]) -> None:
        self.values = values
        self._leaves = leaves
        self._put_on = put_on

    def __len__(self) -> int:
        return len(self.values)

    def select(self, places: Sequence[int]) -> "NetworkParameters":
        """Itself, or nothing."""
        return self if len(places) == len(self) else NetworkParameters(self.values[:0], self._leaves, self._put_on)

    def gradients(self, loss: Tensor) -> Tensor:
        """The gradients (1, parameters) in float32; zero for what the loss did not read (experts without a token)."""
        found = torch.autograd.grad(loss, list(self._leaves.values()), materialize_grads=True)
        return torch.cat([one.flatten().float() for one in found])[None]

    @contextmanager
    def active(self, _: Any, *, n_tokens: int) -> Iterator[None]:
        """While the body runs the network computes with the values; all tokens are of the one training."""
        del n_tokens
        self._put_on()
        yield


def flat(tensors: Mapping[str, Tensor]) -> Tensor:
    """Tensors one after the other as float32 values (1, parameters)."""
    return torch.cat([one.detach().flatten().float() for one in tensors.values()])[None]


def split(values: Tensor, shapes: Mapping[str, tuple[int, ...]]) -> dict[str, Tensor]:
    """Views of a vector (parameters,) by name, in the order of ``shapes``."""
    sizes = [math.prod(shape) for shape in shapes.values()]
    starts = accumulate(sizes, initial=0)
    return {
        name: values[start : start + size].view(shape)
        for (name, shape), start, size in zip(shapes.items(), starts, sizes, strict=False)
    }
