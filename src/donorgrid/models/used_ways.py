"""Which ways computed: what the results of a run say about their origin."""

from typing import Literal

import torch

from donorgrid.models.fast_cpu.bf16_products import bf16_kernel
from donorgrid.models.gpu.ways import WayName

Use = Literal["reading", "training"]


class UsedWays:
    """Collects the ways in which a network was read, until they are taken."""

    def __init__(self) -> None:
        self._ways: dict[Use, set[str]] = {"reading": set(), "training": set()}

    def note_fast(self, use: Use, *, in_bf16: bool) -> None:
        """Notes the fast decoder of the CPU.

        Parameters
        ----------
        use
            What it computed for.
        in_bf16
            Whether its products are in bf16; the kernel is named then.
        """
        self._ways[use].add(f"fast decoder, bf16 by {bf16_kernel()}" if in_bf16 else "fast decoder, float32")

    def note_layers(self, use: Use, way: WayName, dtype: torch.dtype) -> None:
        """Notes transformers' layers.

        Parameters
        ----------
        use
            What they computed for.
        way
            How their attention was computed.
        dtype
            The precision of the network.
        """
        self._ways[use].add(f"transformers' layers, {way}, {str(dtype).removeprefix('torch.')}")

    def take(self, use: Use) -> tuple[str, ...]:
        """The ways since the last call, in the order of their names."""
        ways = tuple(sorted(self._ways[use]))
        self._ways[use] = set()
        return ways
