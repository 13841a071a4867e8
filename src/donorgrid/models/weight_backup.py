"""Copies of a resident network's weights, which put it back bit for bit."""

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

    def restore(self) -> None:
        """Puts all copies back. Raises DonorgridError if the network still differs from its first state."""
        with torch.no_grad():
            for name, copy in self._copies.items():
                self._network.get_parameter(name).copy_(copy)
        if fingerprint(self._network) != self._fingerprint:
            raise DonorgridError("the base model's weights did not come back after an adapter: start again")


def fingerprint(network: Any) -> int:
    """A 64-bit sum over the bits of all weights, each tensor weighted by its index: cheap enough for every adapter."""
    words = {2: torch.int16, 4: torch.int32, 8: torch.int64}
    total = 0
    for index, tensor in enumerate(network.state_dict().values()):
        bits = tensor.detach().contiguous().view(words.get(tensor.element_size(), torch.uint8))
        total = (total * 1_000_003 + index + int(bits.sum(dtype=torch.int64).item())) % 2**64
    return total
