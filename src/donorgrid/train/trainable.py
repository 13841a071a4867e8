"""What the training loop trains: rows of values, and a network that computes with them while they are active."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol

from torch import Tensor


class Trainable(Protocol):
    """K trainings side by side, one row of ``values`` (K, parameters; float32) each.

    ``StackedAdapters`` holds several adapters, ``NetworkParameters`` one set of parameters of the network itself.
    """

    @property
    def values(self) -> Tensor:
        """The parameters of all K; whoever changes them in place changes what is active."""
        ...

    def __len__(self) -> int:
        """K."""
        ...

    def select(self, places: Sequence[int]) -> "Trainable":
        """Some of the K."""
        ...

    def gradients(self, loss: Tensor) -> Tensor:
        """The gradients (K, parameters) of a loss that was computed while the values were active."""
        ...

    def active(self, network: Any, *, n_tokens: int) -> AbstractContextManager[None]:
        """While the body runs, each K-th part of a batch of ``n_tokens`` tokens is read with its own row."""
        ...
