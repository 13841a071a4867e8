"""Products with frozen weights and the low-rank adapters beside them, and their gradients.

Linear modules that read the same input (query, key and value; gate and up) are one product: their weights lie one after
the other in one tensor, of which the modules' own weights are views. Nothing is held twice, and what changes a module's
weight in place (a merged adapter) changes the product.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from donorgrid.models.low_rank import AdapterBlock, LowRankAdapter


@dataclass(frozen=True, kw_only=True)
class Side:
    """What an adapter did beside a product: ``low`` is ``x A^T``."""

    low: Tensor
    beside: AdapterBlock
    scaling: float


class Product:
    """``x W^T + b`` of linear modules side by side, plus ``scaling * x A^T B^T`` for each that has an adapter."""

    def __init__(self, names: Sequence[str], modules: Sequence[Any]) -> None:
        self._names = tuple(names)
        self._modules = tuple(modules)
        self._widths = [module.out_features for module in modules]
        self._has_bias = modules[0].bias is not None
        self._weight = self._joined()

    def prepare(self) -> None:
        """Join the weights again where somebody has given a module another tensor."""
        place = self._weight.data_ptr()
        for module, width in zip(self._modules, self._widths, strict=True):
            if module.weight.data_ptr() != place:
                self._weight = self._joined()
                return
            place += width * self._weight.shape[1] * self._weight.element_size()

    def _joined(self) -> Tensor:
        if len(self._modules) == 1:
            alone: Tensor = self._modules[0].weight.data
            return alone
        with torch.inference_mode(mode=False):
            joined = torch.cat([module.weight.data for module in self._modules])
            for module, part in zip(self._modules, torch.split(joined, self._widths), strict=True):
                module.weight.data = part
        return joined

    def forward(
        self, x: Tensor, adapter: LowRankAdapter | None, *, plus: Tensor | None = None, in_place: bool = False
    ) -> tuple[Tensor, Side | None]:
        """(tokens, n_in) -> (tokens, n_out), added to ``plus`` (in place or not); and what the adapter did."""
        if plus is None:
            y = torch.mm(x, self._weight.T)
        else:
            y = plus.addmm_(x, self._weight.T) if in_place else torch.addmm(plus, x, self._weight.T)
        if self._has_bias:
            y += torch.cat([module.bias for module in self._modules])
        if adapter is None or not adapter.changes(self._names):
            return y, None
        beside = adapter.beside(self._names)
        low = torch.mm(x, beside.a_turned)
        columns = _split(y, self._widths)
        for number, own, b_turned in zip(beside.numbers, _split(low, beside.ranks), beside.b_turned, strict=True):
            columns[number].addmm_(own, b_turned, alpha=adapter.scaling)
        return y, Side(low=low, beside=beside, scaling=adapter.scaling)

    def backward(self, dy: Tensor, x: Tensor, side: Side | None, gradients: LowRankAdapter) -> Tensor:
        """From the gradient of the output to that of the input; those of A and B are written into ``gradients``.

        ``x`` and ``side`` are what ``forward`` read and returned.
        """
        dx = torch.mm(dy, self._weight)
        if side is None:
            return dx
        return dx.addmm_(self._learn(dy, x, side, gradients), side.beside.a, alpha=side.scaling)

    def learn(self, dy: Tensor, x: Tensor, side: Side | None, gradients: LowRankAdapter) -> None:
        """The same where the gradient of the input is not wanted."""
        if side is not None:
            self._learn(dy, x, side, gradients)

    def _learn(self, dy: Tensor, x: Tensor, side: Side, gradients: LowRankAdapter) -> Tensor:
        """Write the gradients of A and B; that of ``x A^T`` divided by the scaling."""
        d_low = torch.empty_like(side.low)
        beside, of_beside = side.beside, gradients.beside(self._names)
        columns, lows, of_lows = _split(dy, self._widths), _split(side.low, beside.ranks), _split(d_low, beside.ranks)
        for number, b, of_b, low, of_low in zip(beside.numbers, beside.b, of_beside.b, lows, of_lows, strict=True):
            of_own = columns[number]
            torch.mm(of_own, b, out=of_low)
            of_b.addmm_(of_own.T, low, beta=0, alpha=side.scaling)
        of_beside.a.addmm_(d_low.T, x, beta=0, alpha=side.scaling)
        return d_low


def _split(x: Tensor, widths: Sequence[int]) -> Sequence[Tensor]:
    return (x,) if len(widths) == 1 else torch.split_with_sizes(x, widths, 1)
