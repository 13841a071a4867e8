"""What the training loop trains: rows of parameter values, and a network that computes with them while active."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol

from torch import Tensor


class Trainable(Protocol):
    """K trainings side by side, one row of ``values`` (K, n_parameters; float32) for each.

    ``StackedAdapters`` holds K LoRA adapters; ``NetworkParameters`` holds parameters of the network itself (K = 1).
    """

    @property
    def values(self) -> Tensor:
        """The parameters of all K; the optimizer changes them in place."""
        ...

    def __len__(self) -> int:
        """The number of trainings, K."""
        ...

    def select(self, indices: Sequence[int]) -> "Trainable":
        """Some of the K trainings, in the order of ``indices``."""
        ...

    def gradients(self, loss: Tensor) -> Tensor:
        """The gradients (K, n_parameters) of a loss that was computed while the values were active."""
        ...

    def change_gradients(self) -> Tensor:
        """The gradients (K, n_parameters) of ½ ‖W' - W0‖², summed over the changed weights."""
        ...

    def active(self, network: Any, *, n_tokens: int) -> AbstractContextManager[None]:
        """While the body runs, the k-th of K equal parts of a batch of ``n_tokens`` tokens is read with row k."""
        ...
