"""What a layer's attention reads: queries, keys and values side by side, and their gradients.

In the last layer only some tokens ask; the others' queries are zero, and nothing is spent on them.
"""

from collections.abc import Sequence
from typing import Any

from torch import Tensor

from donorgrid.models.fast_cpu.linear import Product
from donorgrid.models.low_rank import LowRankAdapter


class QKVProjection:
    """The products of queries, keys and values, of all tokens."""

    def __init__(self, names: Sequence[str], modules: Sequence[Any]) -> None:
        self._all = Product(names, modules)

    def prepare(self) -> None:
        """As ``Product.prepare``."""
        self._all.prepare()

    def forward(self, x: Tensor, asking: Tensor, adapter: LowRankAdapter | None) -> tuple[Tensor, Any]:
        """(tokens, width) -> (tokens, queries and keys and values); and what ``backward`` needs.

        ``asking`` names the tokens whose queries are wanted, each once; here the others' are made too.
        """
        del asking
        return self._all.forward(x, adapter)

    def backward(
        self, d_qkv: Tensor, x: Tensor, kept: Any, gradients: LowRankAdapter, *, wants_dx: bool
    ) -> Tensor | None:
        """From the gradient of the output to that of ``x``; those of the adapter are written into ``gradients``."""
        if wants_dx:
            return self._all.backward(d_qkv, x, kept, gradients)
        self._all.learn(d_qkv, x, kept, gradients)
        return None


class LastLayerQKVProjection:
    """The same in the last layer, where queries are made for the tokens that ask."""

    def __init__(self, names: Sequence[str], modules: Sequence[Any]) -> None:
        self._queries = Product(names[:1], modules[:1])
        self._others = Product(names[1:], modules[1:])
        self._n = modules[0].out_features

    def prepare(self) -> None:
        """As ``Product.prepare``."""
        self._queries.prepare()
        self._others.prepare()

    def forward(self, x: Tensor, asking: Tensor, adapter: LowRankAdapter | None) -> tuple[Tensor, Any]:
        """As ``QKVProjection.forward``."""
        others, beside_others = self._others.forward(x, adapter)
        asked = x[asking]
        queries, beside_queries = self._queries.forward(asked, adapter)
        qkv = x.new_empty(len(x), self._n + others.shape[1])
        qkv[:, : self._n] = 0.0
        qkv[asking, : self._n] = queries
        qkv[:, self._n :] = others
        return qkv, (asking, asked, beside_queries, beside_others)

    def backward(
        self, d_qkv: Tensor, x: Tensor, kept: Any, gradients: LowRankAdapter, *, wants_dx: bool
    ) -> Tensor | None:
        """As ``QKVProjection.backward``."""
        asking, asked, beside_queries, beside_others = kept
        of_queries, of_others = d_qkv[asking, : self._n], d_qkv[:, self._n :]
        if wants_dx:
            dx = self._others.backward(of_others, x, beside_others, gradients)
            of_asked = self._queries.backward(of_queries, asked, beside_queries, gradients)
            return dx.index_add_(0, asking, of_asked)
        self._others.learn(of_others, x, beside_others, gradients)
        self._queries.learn(of_queries, asked, beside_queries, gradients)
        return None
