"""Products with frozen weights and the low-rank adapters beside them, and their gradients.

Linear modules that read the same input (query, key and value; gate and up) are one product: their weights lie one after
the other in one tensor, of which the modules' own weights are views. Nothing is held twice, and what changes a module's
weight in place (a merged adapter) changes the product.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import Any

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
    ) -> tuple[Tensor, Tensor | None]:
        """(tokens, n_in) -> (tokens, n_out), added to ``plus`` (in place or not); and ``scaling * x A^T``."""
        if plus is None:
            y = torch.mm(x, self._weight.T)
        else:
            y = plus.addmm_(x, self._weight.T) if in_place else torch.addmm(plus, x, self._weight.T)
        if self._modules[0].bias is not None:
            y += torch.cat([module.bias for module in self._modules])
        adapted = self._adapted(adapter)
        if adapter is None or not adapted:
            return y, None
        low = torch.mm(x, _stacked(adapted).T).mul_(adapter.scaling)
        for (_, columns, (_, b)), part in zip(adapted, _ranks(adapted), strict=True):
            y[:, columns].addmm_(low[:, part], b.T)
        return y, low

    def backward(
        self, dy: Tensor, x: Tensor, low: Tensor | None, adapter: LowRank, gradients: Mapping[str, Pair]
    ) -> Tensor:
        """From the gradient of the output to that of the input; those of A and B are written into ``gradients``.

        ``x`` and ``low`` are what ``forward`` read and returned.
        """
        dx = torch.mm(dy, self._weight)
        d_low = self.backward_low(dy, x, low, adapter, gradients)
        return dx if d_low is None else dx.addmm_(d_low, _stacked(self._adapted(adapter)))

    def backward_low(
        self, dy: Tensor, x: Tensor, low: Tensor | None, adapter: LowRank, gradients: Mapping[str, Pair]
    ) -> Tensor | None:
        """Only the gradients of A and B; returns that of ``x A^T``, None without an adapter here."""
        if low is None:
            return None
        adapted = self._adapted(adapter)
        ranks = _ranks(adapted)
        d_low = torch.empty_like(low)
        for (name, columns, (_, b)), part in zip(adapted, ranks, strict=True):
            torch.mm(dy[:, columns], b, out=d_low[:, part])
            torch.mm(dy[:, columns].T, low[:, part], out=gradients[name][1])
        d_low.mul_(adapter.scaling)
        of_a = torch.mm(d_low.T, x)
        for (name, _, _), part in zip(adapted, ranks, strict=True):
            gradients[name][0].copy_(of_a[part])
        return d_low

    def _adapted(self, adapter: LowRank | None) -> list[tuple[str, slice, Pair]]:
        if adapter is None:
            return []
        every = zip(self.names, self._columns, strict=True)
        return [(name, columns, adapter.pairs[name]) for name, columns in every if name in adapter.pairs]


def _stacked(adapted: Sequence[tuple[str, slice, Pair]]) -> Tensor:
    """All A, one above the other."""
    lows = [a for _, _, (a, _) in adapted]
    return lows[0] if len(lows) == 1 else torch.cat(lows)


def _ranks(adapted: Sequence[tuple[str, slice, Pair]]) -> list[slice]:
    ends = [0, *accumulate(len(a) for _, _, (a, _) in adapted)]
    return [slice(start, end) for start, end in pairwise(ends)]
