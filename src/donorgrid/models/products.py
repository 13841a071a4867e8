"""Products with frozen weights and the low-rank adapters beside them, and their gradients.

Linear modules that read the same input (query, key and value; gate and up) are one product: their weights lie one after
the other in one tensor, of which the modules' own weights are views. Nothing is held twice, and what changes a module's
weight in place (a merged adapter) changes the product.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

import torch
from torch import Tensor

from donorgrid.models.low_rank import Beside, LowRank


@dataclass(frozen=True, kw_only=True)
class Side:
    """What an adapter did beside a product: ``low`` is ``x A^T``."""

    low: Tensor
    beside: Beside
    scaling: float


class Product:
    """``x W^T + b`` of linear modules side by side, plus ``scaling * x A^T B^T`` for each that has an adapter."""

    def __init__(self, names: Sequence[str], modules: Sequence[Any]) -> None:
        self.names = tuple(names)
        self._modules = tuple(modules)
        sizes = [module.out_features for module in modules]
        starts = [0, *accumulate(sizes)]
        self._columns = [slice(start, start + size) for start, size in zip(starts, sizes, strict=False)]
        self._has_bias = modules[0].bias is not None
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
        if self._has_bias:
            y += torch.cat([module.bias for module in self._modules])
        if adapter is None or not adapter.changes(self.names):
            return y, None
        beside = adapter.beside(self.names, self._columns)
        low = torch.mm(x, beside.a.T)
        for columns, ranks, b in beside.parts:
            y[:, columns].addmm_(low[:, ranks], b.T, alpha=adapter.scaling)
        return y, Side(low=low, beside=beside, scaling=adapter.scaling)

    def backward(self, dy: Tensor, x: Tensor, side: Side | None, gradients: LowRank) -> Tensor:
        """From the gradient of the output to that of the input; those of A and B are written into ``gradients``.

        ``x`` and ``side`` are what ``forward`` read and returned.
        """
        dx = torch.mm(dy, self._weight)
        if side is None:
            return dx
        return dx.addmm_(self._learn(dy, x, side, gradients), side.beside.a, alpha=side.scaling)

    def learn(self, dy: Tensor, x: Tensor, side: Side | None, gradients: LowRank) -> None:
        """The same where the gradient of the input is not wanted."""
        if side is not None:
            self._learn(dy, x, side, gradients)

    def _learn(self, dy: Tensor, x: Tensor, side: Side, gradients: LowRank) -> Tensor:
        """Write the gradients of A and B; that of ``x A^T`` divided by the scaling."""
        d_low = torch.empty_like(side.low)
        of_a, of_parts = gradients.beside(self.names, self._columns)
        for (columns, ranks, b), (_, _, of_b) in zip(side.beside.parts, of_parts, strict=True):
            of_part = dy[:, columns]
            torch.mm(of_part, b, out=d_low[:, ranks])
            of_b.addmm_(of_part.T, side.low[:, ranks], beta=0, alpha=side.scaling)
        of_a.addmm_(d_low.T, x, beta=0, alpha=side.scaling)
        return d_low
