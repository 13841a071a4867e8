"""Products with frozen weights and the low-rank adapters beside them, and their gradients.

Linear modules that read the same input (query, key and value; gate and up) are one product: their weights lie one after
the other in one tensor, of which the modules' own weights are views. Nothing is held twice, and what changes a module's
weight in place (a merged adapter) changes the product.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any, NamedTuple

import torch
from torch import Tensor

Pair = tuple[Tensor, Tensor]


@dataclass(frozen=True, kw_only=True)
class LowRank:
    """One adapter: A (rank, n_in) and B (n_out, rank) by module, and its scaling (Hu et al. 2021, equation 3).

    Where gradients are wanted ``values`` is the vector that they are taken of: all of ``pairs``, one after the other.
    """

    pairs: Mapping[str, Pair]
    scaling: float
    values: Tensor | None = None

    def split(self, vector: Tensor) -> dict[str, Pair]:
        """A vector like ``values`` as pairs (views)."""
        sizes = [one.numel() for pair in self.pairs.values() for one in pair]
        parts = iter(torch.split(vector, sizes))
        return {name: (next(parts).view_as(a), next(parts).view_as(b)) for name, (a, b) in self.pairs.items()}


class _Part(NamedTuple):
    """A module's part of a product: its columns of the output, its columns of ``x A^T``, and its A and B."""

    name: str
    columns: slice
    ranks: slice
    a: Tensor
    b: Tensor


@dataclass(frozen=True, kw_only=True)
class Side:
    """What an adapter did beside a product: ``low`` is ``scaling * x A^T``, ``a`` the A of all modules on end."""

    low: Tensor
    a: Tensor
    parts: Sequence[_Part]
    scaling: float

    def backward(self, dy: Tensor, x: Tensor, gradients: Mapping[str, Pair]) -> Tensor:
        """Write the gradients of A and B into ``gradients``; that of ``x A^T``."""
        d_low = torch.empty_like(self.low)
        for part in self.parts:
            torch.mm(dy[:, part.columns], part.b, out=d_low[:, part.ranks])
            torch.mm(dy[:, part.columns].T, self.low[:, part.ranks], out=gradients[part.name][1])
        d_low.mul_(self.scaling)
        of_a = torch.mm(d_low.T, x)
        for part in self.parts:
            gradients[part.name][0].copy_(of_a[part.ranks])
        return d_low


class Product:
    """``x W^T + b`` of linear modules side by side, plus ``scaling * x A^T B^T`` for each that has an adapter."""

    def __init__(self, names: Sequence[str], modules: Sequence[Any]) -> None:
        self.names = tuple(names)
        self._modules = tuple(modules)
        sizes = [module.out_features for module in modules]
        starts = [0, *accumulate(sizes)]
        self._columns = [slice(start, start + size) for start, size in zip(starts, sizes, strict=False)]
        self._weight = self._joined()

    def ready(self) -> None:
        """Join the weights again where somebody has given a module another tensor."""
        if any(
            module.weight.data_ptr() != self._weight[part].data_ptr()
            for module, part in zip(self._modules, self._columns, strict=True)
        ):
            self._weight = self._joined()

    def _joined(self) -> Tensor:
        if len(self._modules) == 1:
            alone: Tensor = self._modules[0].weight.data
            return alone
        with torch.inference_mode(mode=False):
            joined = torch.cat([module.weight.data for module in self._modules])
            for module, part in zip(self._modules, self._columns, strict=True):
                module.weight.data = joined[part]
        return joined

    def forward(
        self, x: Tensor, adapter: LowRank | None, *, plus: Tensor | None = None, in_place: bool = False
    ) -> tuple[Tensor, Side | None]:
        """(tokens, n_in) -> (tokens, n_out), added to ``plus`` (in place or not); and what the adapter did."""
        if plus is None:
            y = torch.mm(x, self._weight.T)
        else:
            y = plus.addmm_(x, self._weight.T) if in_place else torch.addmm(plus, x, self._weight.T)
        if self._modules[0].bias is not None:
            y += torch.cat([module.bias for module in self._modules])
        parts = self._parts(adapter)
        if adapter is None or not parts:
            return y, None
        a = parts[0].a if len(parts) == 1 else torch.cat([part.a for part in parts])
        low = torch.mm(x, a.T).mul_(adapter.scaling)
        for part in parts:
            y[:, part.columns].addmm_(low[:, part.ranks], part.b.T)
        return y, Side(low=low, a=a, parts=parts, scaling=adapter.scaling)

    def backward(self, dy: Tensor, x: Tensor, side: Side | None, gradients: Mapping[str, Pair]) -> Tensor:
        """From the gradient of the output to that of the input; those of A and B are written into ``gradients``.

        ``x`` and ``side`` are what ``forward`` read and returned.
        """
        dx = torch.mm(dy, self._weight)
        if side is None:
            return dx
        return dx.addmm_(side.backward(dy, x, gradients), side.a)

    def _parts(self, adapter: LowRank | None) -> list[_Part]:
        """What an adapter has for these modules."""
        if adapter is None:
            return []
        parts: list[_Part] = []
        for name, columns in zip(self.names, self._columns, strict=True):
            if name in adapter.pairs:
                a, b = adapter.pairs[name]
                start = parts[-1].ranks.stop if parts else 0
                parts.append(_Part(name, columns, slice(start, start + len(a)), a, b))
        return parts
