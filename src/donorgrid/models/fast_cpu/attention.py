"""Attention between the tokens of rows, with its gradients; outside of it no row needs fillers.

Tokens lie flat, one row after the other. Short rows are computed as they lie; long ones are put into rows of one length
for torch's fused kernel, and taken out again.
"""

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import scaled_dot_product_attention

from donorgrid.models.fast_cpu.short_attention import attention_backward, attention_forward
from donorgrid.models.fast_cpu.threads import run_in_threads
from donorgrid.models.masks import additive_mask
from donorgrid.models.rows import RowBatch

# Up to this many tokens a row, small matrices in the cache are faster than the fused kernel.
_SHORT = 128
_NO_WINDOW = 2**31 - 1


@dataclass(frozen=True, kw_only=True)
class Heads:
    """How many heads of which size: ``n`` of queries, ``n_shared`` of keys and of values, and the scale of a score."""

    n: int
    n_shared: int
    size: int
    scale: float


@dataclass(frozen=True)
class Rows:
    """The rows of a batch, and where their tokens lie when there are no fillers and what all begin with is there once.

    Flat, these common tokens come first, and then each row's further ones. Where there are any they are also a row of
    their own, before the others, as nothing else is read for them.
    """

    batch: RowBatch
    _masks: dict[int | None, Tensor] = field(default_factory=dict)

    @property
    def are_short(self) -> bool:
        """Whether they are computed as they lie."""
        return self.batch.input_ids.shape[1] <= _SHORT

    @cached_property
    def n_common(self) -> int:
        """How many tokens all rows begin with; at least one of each row is its own."""
        batch, places = self.batch, torch.arange(self.batch.input_ids.shape[1])
        if len(batch.lengths) < 2:
            return 0
        is_alike = (
            (batch.input_ids == batch.input_ids[:1])
            & (batch.position_ids == places)
            & (batch.attended_until == batch.lengths[:, None])
        )
        n_alike = int(is_alike.all(0).cumprod(0).sum())
        return max(0, min(n_alike, int(batch.lengths.min()) - 1))

    @cached_property
    def is_token(self) -> Tensor:
        """Whether a place (rows x length, flat) holds a token that an earlier place does not hold, and no filler."""
        is_token = torch.arange(self.batch.input_ids.shape[1]) < self.batch.lengths[:, None]
        is_token[1:, : self.n_common] = False
        return is_token.flatten()

    @cached_property
    def places(self) -> Tensor | None:
        """Of each token its place; None where each place has its token."""
        return None if self.is_token.all() else self.is_token.nonzero().squeeze(1)

    @cached_property
    def tokens(self) -> Tensor | None:
        """Of each place its token, a filler naming the first one; None where each place has its own."""
        if self.places is None:
            return None
        tokens = (self.is_token.cumsum(0) - 1).where(self.is_token, 0).view_as(self.batch.input_ids)
        tokens[:, : self.n_common] = torch.arange(self.n_common)
        return tokens.flatten()

    def flat(self, x: Tensor) -> Tensor:
        """(rows, length, ...) -> (tokens, ...)."""
        x = x.flatten(0, 1)
        return x if self.places is None else x.index_select(0, self.places)

    def filled(self, x: Tensor) -> Tensor:
        """(tokens, width) -> (rows, length, width)."""
        x = x if self.tokens is None else x.index_select(0, self.tokens)
        return x.view(*self.batch.input_ids.shape, -1)

    def mask(self, window: int | None) -> Tensor:
        """What each place of a row sees, as a number to add to its scores (rows, 1, length, length)."""
        if window not in self._masks:
            self._masks[window] = additive_mask(self.batch, torch.float32, window=window)
        return self._masks[window]

    @cached_property
    def before(self) -> Any:
        """Of each row how many common tokens it begins with: none of the row that they are themselves."""
        n_rows = len(self.batch.lengths)
        return np.array([0] * bool(self.n_common) + [self.n_common] * n_rows, dtype=np.int32)

    @cached_property
    def starts(self) -> Any:
        """Of each row its first own token, and the number of tokens."""
        own = self.batch.lengths.numpy() - self.n_common
        return np.cumsum([0, *[self.n_common] * bool(self.n_common), *own]).astype(np.int32)

    @cached_property
    def pairs(self) -> Any:
        """How many numbers lie on and below the diagonals of all rows before each row, and of all."""
        lengths = (self.before + np.diff(self.starts)).astype(np.int64)
        return np.concatenate([[0], np.cumsum(lengths * (lengths + 1) // 2)])

    def first_asking(self, asking: Tensor | None) -> Any:
        """Of each row the first of its own tokens that asks, or how many it has; the first of its own where all ask.

        ``asking`` names flat tokens in order.
        """
        if asking is None:
            return self.before
        tokens = np.append(asking.numpy(), self.starts[-1])
        firsts = tokens[np.searchsorted(tokens, self.starts[:-1])]
        return (self.before + np.minimum(firsts, self.starts[1:]) - self.starts[:-1]).astype(np.int32)

    @cached_property
    def attended_until(self) -> Any:
        """Of each token where those below it end, in its row."""
        return self.flat(self.batch.attended_until).numpy().astype(np.int32)

    @cached_property
    def position_ids(self) -> Any:
        """Of each token its position."""
        return self.flat(self.batch.position_ids).numpy().astype(np.int32)


class Attention:
    """One layer's attention on a batch, which remembers what its gradient needs.

    Of the tokens that are not ``asking`` (None: all ask) anything may be given, and nothing must depend on it.
    """

    def __init__(self, heads: Heads, rows: Rows, window: int | None, asking: Tensor | None = None) -> None:
        self._heads = heads
        self._rows = rows
        self._window = window
        self._firsts = rows.first_asking(asking)
        self._kept: Any = None

    def forward(self, qkv: Tensor, *, remember: bool) -> Tensor:
        """(tokens, queries and keys and values) -> (tokens, n * size)."""
        if self._rows.are_short:
            return self._short(qkv, remember=remember)
        if not remember:
            return self._fused(qkv)
        leaf = qkv.detach().requires_grad_()
        with torch.enable_grad():
            found = self._fused(leaf)
        self._kept = leaf, found
        return found.detach()

    def backward(self, gradient: Tensor) -> Tensor:
        """From the gradient of the output to that of queries, keys and values side by side, which it may overwrite."""
        kept, self._kept = self._kept, None
        qkv: Tensor
        if not self._rows.are_short:
            leaf, found = kept
            (qkv,) = torch.autograd.grad(found, leaf, gradient)
            return qkv
        qkv, shares = kept
        heads, rows, pairs = self._heads, self._rows, self._rows.pairs
        read, of_found, n_common = qkv.numpy(), gradient.numpy(), self._rows.n_common
        width = 2 * heads.n_shared * heads.size
        of_common = np.empty((len(pairs) - 1, n_common, width), dtype=np.float32)

        def part(first: int, last: int) -> None:
            own = shares[heads.n * pairs[first] : heads.n * pairs[last]]
            attention_backward(
                read, rows.starts[first : last + 1], rows.before[first:last], self._firsts[first:last], heads.n,
                heads.n_shared, heads.scale, of_found, own, of_common[first:last],
            )  # fmt: skip

        if n_common == 0:
            run_in_threads(part, len(pairs) - 1, n_numbers=2 * self._n_numbers)
            return qkv
        run_in_threads(lambda first, last: part(first + 1, last + 1), len(pairs) - 2, n_numbers=2 * self._n_numbers)
        part(0, 1)  # only now: it overwrites what the others read
        qkv[:n_common, -width:] += torch.from_numpy(of_common[1:].sum(0))
        return qkv

    def _short(self, qkv: Tensor, *, remember: bool) -> Tensor:
        heads, rows, pairs = self._heads, self._rows, self._rows.pairs
        found = qkv.new_empty(len(qkv), heads.n * heads.size)
        shares = np.empty(heads.n * pairs[-1] if remember else 0, dtype=np.float32)
        read, write = qkv.numpy(), found.numpy()
        window = _NO_WINDOW if self._window is None else self._window

        def part(first: int, last: int) -> None:
            own = shares[heads.n * pairs[first] : heads.n * pairs[last]] if remember else shares
            attention_forward(
                read, rows.starts[first : last + 1], rows.before[first:last], self._firsts[first:last],
                rows.attended_until, rows.position_ids, window, heads.n, heads.n_shared, heads.scale, write, own,
            )  # fmt: skip

        run_in_threads(part, len(pairs) - 1, n_numbers=self._n_numbers)
        if remember:
            self._kept = qkv, shares
        return found

    @property
    def _n_numbers(self) -> int:
        """What short rows cost, as ``run_in_threads`` counts: a product within the cache is half a number."""
        return int(self._rows.pairs[-1]) * self._heads.n * self._heads.size // 2

    def _fused(self, qkv: Tensor) -> Tensor:
        heads = self._heads
        filled = self._rows.filled(qkv)
        filled = filled.view(*filled.shape[:2], -1, heads.size).transpose(1, 2)
        queries, keys, values = torch.split(filled, [heads.n, heads.n_shared, heads.n_shared], dim=1)
        times = heads.n // heads.n_shared
        if times > 1:
            keys, values = keys.repeat_interleave(times, 1), values.repeat_interleave(times, 1)
        mask = self._rows.mask(self._window)
        found = scaled_dot_product_attention(queries, keys, values, attn_mask=mask, scale=heads.scale)
        return self._rows.flat(found.transpose(1, 2).flatten(2))
