"""Attention between the tokens of rows, with its gradients; outside of it no row needs fillers.

Tokens lie flat, one row after the other. Here they are put into rows of one length, and taken out again.
"""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import scaled_dot_product_attention

# Up to this many tokens a row, the gradient of a few products is faster than that of the fused kernel.
_SHORT = 128


@dataclass(frozen=True, kw_only=True)
class Heads:
    """How many heads of which size: ``n`` of queries, ``n_shared`` of keys and of values, and the scale of a score."""

    n: int
    n_shared: int
    size: int
    scale: float

    @property
    def widths(self) -> list[int]:
        """Numbers per token of queries, keys, values."""
        return [self.n * self.size, self.n_shared * self.size, self.n_shared * self.size]


@dataclass(frozen=True, kw_only=True)
class Rows:
    """Where flat tokens lie in ``n`` rows of ``length``: of a place its token, and of a token its place.

    Both are None where there are no fillers. A filler names the first token, sees only itself, and is seen by none.
    """

    n: int
    length: int
    tokens: Tensor | None
    places: Tensor | None

    def fill(self, x: Tensor) -> Tensor:
        """(tokens, width) -> (rows, length, width)."""
        return (x if self.tokens is None else x.index_select(0, self.tokens)).reshape(self.n, self.length, -1)

    def flat(self, x: Tensor) -> Tensor:
        """(rows, length, width) -> (tokens, width)."""
        x = x.reshape(self.n * self.length, -1)
        return x if self.places is None else x.index_select(0, self.places)


class Attention:
    """One layer's attention, which remembers what its gradient needs."""

    def __init__(self, heads: Heads, rows: Rows, mask: Tensor) -> None:
        self._heads = heads
        self._rows = rows
        self._mask = mask
        self._kept: Any = None

    def forward(self, qkv: Tensor, *, remember: bool) -> Tensor:
        """(tokens, queries and keys and values) -> (tokens, n * size)."""
        heads = self._heads
        filled = self._heads_first(qkv)
        queries, keys, values = torch.split(filled, [heads.n, heads.n_shared, heads.n_shared], dim=1)
        if remember and self._rows.length <= _SHORT:
            found = self._by_products(queries, keys, values)
        elif remember:
            leaves = [one.detach().requires_grad_() for one in (queries, keys, values)]
            with torch.enable_grad():
                fused = self._fused(*leaves)
            self._kept = leaves, fused
            found = fused.detach()
        else:
            found = self._fused(queries, keys, values)
        return self._rows.flat(found.transpose(1, 2))

    def backward(self, gradient: Tensor) -> Tensor:
        """From the gradient of the output to that of queries, keys and values side by side."""
        of_output = self._heads_first(gradient)
        if self._rows.length <= _SHORT:
            parts = self._products_backward(of_output)
        else:
            leaves, fused = self._kept
            parts = torch.autograd.grad(fused, leaves, of_output)
        self._kept = None
        side_by_side = torch.cat([part.transpose(1, 2) for part in parts], dim=2)
        return self._rows.flat(side_by_side)

    def _heads_first(self, x: Tensor) -> Tensor:
        """(tokens, heads * size) -> (rows, heads, length, size)."""
        return self._rows.fill(x).view(self._rows.n, self._rows.length, -1, self._heads.size).transpose(1, 2)

    def _fused(self, queries: Tensor, keys: Tensor, values: Tensor) -> Tensor:
        times = self._heads.n // self._heads.n_shared
        if times > 1:
            keys, values = keys.repeat_interleave(times, 1), values.repeat_interleave(times, 1)
        return scaled_dot_product_attention(queries, keys, values, attn_mask=self._mask, scale=self._heads.scale)

    def _by_products(self, queries: Tensor, keys: Tensor, values: Tensor) -> Tensor:
        """Queries that share keys stand one below the other, so that nothing is repeated."""
        n, length, heads = self._rows.n, self._rows.length, self._heads
        q = queries.reshape(n * heads.n_shared, -1, heads.size)
        k = keys.transpose(2, 3).reshape(n * heads.n_shared, heads.size, length)
        v = values.reshape(n * heads.n_shared, length, heads.size)
        scores = torch.baddbmm(q.new_empty(()).expand(len(q), q.shape[1], length), q, k, beta=0, alpha=heads.scale)
        scores.view(n, heads.n, length, length).add_(self._mask)
        shares = scores.softmax(-1)
        self._kept = q, k, v, shares
        return torch.bmm(shares, v).view(n, heads.n, length, heads.size)

    def _products_backward(self, of_output: Tensor) -> list[Tensor]:
        q, k, v, shares = self._kept
        n, length, heads = self._rows.n, self._rows.length, self._heads
        of_output = of_output.reshape(n * heads.n_shared, -1, heads.size)
        of_values = torch.bmm(shares.mT, of_output)
        of_shares = torch.bmm(of_output, v.mT)
        of_scores = torch.ops.aten._softmax_backward_data(of_shares, shares, -1, shares.dtype).mul_(heads.scale)
        of_queries = torch.bmm(of_scores, k.mT)
        of_keys = torch.bmm(of_scores.mT, q)
        return [one.view(n, -1, length, heads.size) for one in (of_queries, of_keys, of_values)]
