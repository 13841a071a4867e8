"""Copies of a resident network's weights, which put it back bit for bit."""

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor

from donorgrid.core.errors import DonorgridError


class WeightBackup:
    """Keeps a copy of every weight that is about to change, and puts the copies back.

    Subtracting what was added would leave round-off; copies leave none.
    """

    def __init__(self, network: Any) -> None:
        self._network = network
        self._copies: dict[str, Tensor] = {}
        self._fingerprint = fingerprint(network)

    def back_up(self, name: str) -> Tensor:
        """The parameter of this name. The first call copies it; later calls leave that copy."""
        weight: Tensor = self._network.get_parameter(name)
        if name not in self._copies:
            self._copies[name] = weight.detach().clone()
        return weight

    def interpolate(self, strength: float, names: Iterable[str] | None = None) -> None:
        """Takes weights that changed back towards their copies: W0 + strength (W - W0).

        Parameters
        ----------
        strength
            1 leaves them as they are, bit for bit.
        names
            Names of copied parameters; None for all of them.
        """
        if strength == 1:
            return
        with torch.no_grad():
            for name in self._copies if names is None else names:
                weight = self._network.get_parameter(name)
                weight.copy_(between(self._copies[name], weight, strength))

    def restore(self) -> None:
        """Puts all copies back. Raises DonorgridError if the network still differs from its first state."""
        with torch.no_grad():
            for name, copy in self._copies.items():
                self._network.get_parameter(name).copy_(copy)
        if fingerprint(self._network) != self._fingerprint:
            raise DonorgridError("the base model's weights did not come back after an adapter: start again")


def between(base: Tensor, changed: Tensor, strength: float) -> Tensor:
    """Weights between two: ``base + strength (changed - base)``.

    Parameters
    ----------
    base, changed
        Weights of the same shape.
    strength
        0 gives ``base`` and 1 gives ``changed``, bit for bit; above 1 extrapolates.

    Returns
    -------
    Tensor
        Computed in float32, in the dtype of ``base``.
    """
    if strength in (0, 1):
        return changed if strength else base
    first = base.float()
    return (first + strength * (changed.to(first) - first)).to(base.dtype)


def fingerprint(network: Any) -> int:
    """A 64-bit sum over the bits of all weights, each tensor weighted by its index: cheap enough for every adapter."""
    words = {2: torch.int16, 4: torch.int32, 8: torch.int64}
    total = 0
    for index, tensor in enumerate(network.state_dict().values()):
        bits = tensor.detach().contiguous().view(words.get(tensor.element_size(), torch.uint8))
        total = (total * 1_000_003 + index + int(bits.sum(dtype=torch.int64).item())) % 2**64
    return total
