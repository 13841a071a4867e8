"""What a layer's attention reads: queries, keys and values side by side, and their gradients.

In the last layer only some tokens ask; the others' queries are zero, and nothing is spent on them.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from donorgrid.models.products import LowRank, Pair, Product, Side


class Reading:
    """The products of queries, keys and values, of all tokens."""

    def __init__(self, names: Sequence[str], modules: Sequence[Any]) -> None:
        self._all = Product(names, modules)

    def ready(self) -> None:
        """As ``Product.ready``."""
        self._all.ready()

    def forward(self, x: Tensor, asking: Tensor | None, adapter: LowRank | None) -> tuple[Tensor, Any]:
        """(tokens, width) -> (tokens, queries and keys and values); and what ``backward`` needs.

        ``asking`` names the tokens whose queries are wanted, each once; None for all.
        """
        del asking
        return self._all.forward(x, adapter)

    def backward(
        self, d_qkv: Tensor, x: Tensor, kept: Any, gradients: Mapping[str, Pair], *, wants_dx: bool
    ) -> Tensor | None:
        """From the gradient of the output to that of ``x``; those of the adapter are written into ``gradients``."""
        return _backward(self._all, d_qkv, x, kept, gradients, wants_dx=wants_dx)


class AskedReading:
    """The same in the last layer, where queries are made for the tokens that ask."""

    def __init__(self, names: Sequence[str], modules: Sequence[Any]) -> None:
        self._queries = Product(names[:1], modules[:1])
        self._others = Product(names[1:], modules[1:])
        self._n = modules[0].out_features

    def ready(self) -> None:
        """As ``Product.ready``."""
        self._queries.ready()
        self._others.ready()

    def forward(self, x: Tensor, asking: Tensor, adapter: LowRank | None) -> tuple[Tensor, Any]:
        """As ``Reading.forward``."""
        others, beside_others = self._others.forward(x, adapter)
        asked = x[asking]
        queries, beside_queries = self._queries.forward(asked, adapter)
        qkv = x.new_empty(len(x), self._n + others.shape[1])
        qkv[:, : self._n] = 0.0
        qkv[asking, : self._n] = queries
        qkv[:, self._n :] = others
        return qkv, (asking, asked, beside_queries, beside_others)

    def backward(
        self, d_qkv: Tensor, x: Tensor, kept: Any, gradients: Mapping[str, Pair], *, wants_dx: bool
    ) -> Tensor | None:
        """As ``Reading.backward``."""
        asking, asked, beside_queries, beside_others = kept
        of_queries = d_qkv[asking, : self._n]
        of_asked = _backward(self._queries, of_queries, asked, beside_queries, gradients, wants_dx=wants_dx)
        dx = _backward(self._others, d_qkv[:, self._n :], x, beside_others, gradients, wants_dx=wants_dx)
        return dx if dx is None or of_asked is None else dx.index_add_(0, asking, of_asked)


def _backward(
    product: Product, dy: Tensor, x: Tensor, side: Side | None, gradients: Mapping[str, Pair], *, wants_dx: bool
) -> Tensor | None:
    if wants_dx:
        return product.backward(dy, x, side, gradients)
    if side is not None:
        side.backward(dy, x, gradients)
    return None
