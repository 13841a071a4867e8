"""Runs a network's layers through ``torch.compile``: what lies between the products becomes a few kernels."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch


class CompiledLayers:
    """The compiled forward functions of a network's layers; layers of one kind share their compiled code.

    Weights are inputs of that code, so an adapter may be merged into them meanwhile. Hooks that a layer's modules get
    later would be ignored: ``active`` must not be used with any.

    Parameters
    ----------
    network
        A transformers causal language model.
    backend
        A backend of ``torch.compile``.
    """

    def __init__(self, network: Any, *, backend: str = "inductor") -> None:
        self._layers = list(network.get_decoder().layers)
        self._forwards: list[Callable[..., Any]] = [
            torch.compile(layer.forward, dynamic=True, backend=backend) for layer in self._layers
        ]

    @contextmanager
    def active(self) -> Iterator[None]:
        """While the body runs, the layers compute with their compiled functions."""
        for layer, forward in zip(self._layers, self._forwards, strict=True):
            layer.forward = forward
        try:
            yield
        finally:
            for layer in self._layers:
                del layer.forward
