"""Attention of one layer on a batch of unpadded rows, and its gradient.

Short rows go through compiled kernels that read the flat tokens directly (``short_attention``). Longer rows are padded
for torch's fused kernel.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import scaled_dot_product_attention

from donorgrid.models.fast_cpu.short_attention import attention_backward, attention_forward
from donorgrid.models.fast_cpu.threads import run_in_threads
from donorgrid.models.fast_cpu.unpadded_rows import UnpaddedRows

_NO_WINDOW = 2**31 - 1


@dataclass(frozen=True, kw_only=True)
class HeadLayout:
    """The heads of a layer: how many, their size, and the factor of their scores (1 / sqrt(head_dim) as a rule)."""

    n_query_heads: int
    n_kv_heads: int
    head_dim: int
    scaling: float


class Attention:
    """One layer's attention on one batch. ``forward`` saves what ``backward`` needs.

    Parameters
    ----------
    layout
        The heads. Queries, keys and values lie side by side in the columns of ``qkv``:
        ``(n_query_heads + 2 * n_kv_heads) * head_dim`` of them.
    rows
        The rows of the batch.
    window
        The sliding window in positions, or None.
    query_indices
        The flat tokens whose output is needed, in increasing order; None means all. The output of the others is
        undefined, and their gradient must be zero.
    """

    def __init__(
        self, layout: HeadLayout, rows: UnpaddedRows, window: int | None, query_indices: Tensor | None = None
    ) -> None:
        self._layout = layout
        self._rows = rows
        self._window = window
        self._first_queries = rows.first_queries(query_indices)
        self._saved: Any = None

    def forward(self, qkv: Tensor, *, save_for_backward: bool) -> Tensor:
        """Computes the attention output.

        Parameters
        ----------
        qkv
            Queries, keys and values of each token, ``(n_tokens, n_qkv_columns)``.
        save_for_backward
            Whether ``backward`` will be called.

        Returns
        -------
        Tensor of shape ``(n_tokens, n_query_heads * head_dim)``
        """
        if self._rows.are_short:
            return self._forward_short(qkv, save_for_backward=save_for_backward)
        if not save_for_backward:
            return self._fused(qkv)
        leaf = qkv.detach().requires_grad_()
        with torch.enable_grad():
            output = self._fused(leaf)
        self._saved = leaf, output
        return output.detach()

    def backward(self, grad_output: Tensor) -> Tensor:
        """Returns the gradient of ``qkv``, given that of the output. It may overwrite the saved ``qkv``."""
        saved, self._saved = self._saved, None
        if self._rows.are_short:
            return self._backward_short(grad_output, *saved)
        leaf, output = saved
        grad_qkv: Tensor
        (grad_qkv,) = torch.autograd.grad(output, leaf, grad_output)
        return grad_qkv

    def _forward_short(self, qkv: Tensor, *, save_for_backward: bool) -> Tensor:
        layout, rows, starts = self._layout, self._rows, self._rows.weight_starts
        output = qkv.new_empty(len(qkv), layout.n_query_heads * layout.head_dim)
        weights = np.empty(layout.n_query_heads * starts[-1] if save_for_backward else 0, dtype=np.float32)
        qkv_array, output_array = qkv.numpy(), output.numpy()
        window = _NO_WINDOW if self._window is None else self._window

        def forward_rows(first: int, last: int) -> None:
            attention_forward(
                qkv_array, rows.row_starts[first : last + 1], rows.prefix_lengths[first:last],
                self._first_queries[first:last], rows.attended_until, rows.position_ids, window,
                layout.n_query_heads, layout.n_kv_heads, layout.scaling, output_array,
                self._weights_of_rows(weights, first, last) if save_for_backward else weights,
            )  # fmt: skip

        run_in_threads(forward_rows, len(starts) - 1, n_numbers=self._n_numbers)
        if save_for_backward:
            self._saved = qkv, weights
        return output

    def _backward_short(self, grad_output: Tensor, qkv: Tensor, weights: Any) -> Tensor:
        """Overwrites ``qkv`` with its gradient and returns it."""
        layout, rows, n_rows = self._layout, self._rows, len(self._rows.weight_starts) - 1
        qkv_array, grad_output_array, shared = qkv.numpy(), grad_output.numpy(), rows.shared_prefix_length
        n_kv_columns = 2 * layout.n_kv_heads * layout.head_dim
        grad_prefixes = np.empty((n_rows, shared, n_kv_columns), dtype=np.float32)

        def backward_rows(first: int, last: int) -> None:
            attention_backward(
                qkv_array, rows.row_starts[first : last + 1], rows.prefix_lengths[first:last],
                self._first_queries[first:last], layout.n_query_heads, layout.n_kv_heads, layout.scaling,
                grad_output_array, self._weights_of_rows(weights, first, last), grad_prefixes[first:last],
            )  # fmt: skip

        if shared == 0:
            run_in_threads(backward_rows, n_rows, n_numbers=2 * self._n_numbers)
            return qkv
        # The row of the shared prefix comes last: it overwrites the keys and values that the other rows read.
        run_in_threads(
            lambda first, last: backward_rows(first + 1, last + 1), n_rows - 1, n_numbers=2 * self._n_numbers
        )
        backward_rows(0, 1)
        qkv[:shared, -n_kv_columns:] += torch.from_numpy(grad_prefixes[1:].sum(0))
        return qkv

    def _weights_of_rows(self, weights: Any, first: int, last: int) -> Any:
        starts, n_heads = self._rows.weight_starts, self._layout.n_query_heads
        return weights[n_heads * starts[first] : n_heads * starts[last]]

    @property
    def _n_numbers(self) -> int:
        """The work as ``run_in_threads`` counts it: a product of numbers in the cache counts as half a number."""
        return int(self._rows.weight_starts[-1]) * self._layout.n_query_heads * self._layout.head_dim // 2

    def _fused(self, qkv: Tensor) -> Tensor:
        layout = self._layout
        padded = self._rows.pad(qkv)
        heads = padded.view(*padded.shape[:2], -1, layout.head_dim).transpose(1, 2)
        query, key, value = torch.split(heads, [layout.n_query_heads, layout.n_kv_heads, layout.n_kv_heads], dim=1)
        n_groups = layout.n_query_heads // layout.n_kv_heads
        if n_groups > 1:
            key, value = key.repeat_interleave(n_groups, 1), value.repeat_interleave(n_groups, 1)
        mask = self._rows.mask(self._window)
        output = scaled_dot_product_attention(query, key, value, attn_mask=mask, scale=layout.scaling)
        return self._rows.unpad(output.transpose(1, 2).flatten(2))
