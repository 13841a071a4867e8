"""The rows of a batch without padding, and with the prefix that all rows share stored once.

``RowBatch`` pads every row to the longest. Here the tokens are flat: first the shared prefix, then the remaining tokens
of every row, row after row. A linear layer then reads each token once and no padding.
"""

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from donorgrid.models.fast_cpu.compiled import Ints
from donorgrid.models.masks import additive_mask
from donorgrid.models.rows import RowBatch

# Up to this many tokens per row, small matrices in the processor's cache are faster than torch's fused kernel.
SHORT_ROW_TOKENS = 128


@dataclass(frozen=True)
class UnpaddedRows:
    """The flat tokens of a batch, and what attention needs to know about them.

    If there is a shared prefix, it counts as a row of its own, the first one. ``n_rows`` below includes it.

    Attributes
    ----------
    batch
        The padded batch: tensors of shape ``(n_batch_rows, padded_length)``.
    """

    batch: RowBatch
    _masks: dict[int | None, Tensor] = field(default_factory=dict)

    @property
    def are_short(self) -> bool:
        """True if attention uses the compiled kernels for short rows."""
        return self.batch.input_ids.shape[1] <= SHORT_ROW_TOKENS

    @cached_property
    def shared_prefix_length(self) -> int:
        """The number of tokens that all rows begin with; at least one token of each row is left over."""
        batch, indices = self.batch, torch.arange(self.batch.input_ids.shape[1])
        if len(batch.lengths) < 2:
            return 0
        is_shared = (
            (batch.input_ids == batch.input_ids[:1])
            & (batch.position_ids == indices)
            & (batch.attended_until == batch.lengths[:, None])
        )
        length = int(is_shared.all(0).cumprod(0).sum())
        return max(0, min(length, int(batch.lengths.min()) - 1))

    @cached_property
    def is_flat_token(self) -> Tensor:
        """Boolean ``(n_batch_rows * padded_length,)``: False for padding and for repetitions of the shared prefix."""
        is_flat_token = torch.arange(self.batch.input_ids.shape[1]) < self.batch.lengths[:, None]
        is_flat_token[1:, : self.shared_prefix_length] = False
        return is_flat_token.flatten()

    @cached_property
    def padded_indices(self) -> Tensor | None:
        """The padded index of each flat token, ``(n_tokens,)``; None if the two are the same."""
        return None if self.is_flat_token.all() else self.is_flat_token.nonzero().squeeze(1)

    @cached_property
    def flat_indices(self) -> Tensor | None:
        """The flat token at each padded index, ``(n_batch_rows * padded_length,)``; None if the two are the same.

        Padding points to token 0.
        """
        if self.padded_indices is None:
            return None
        indices = (self.is_flat_token.cumsum(0) - 1).where(self.is_flat_token, 0).view_as(self.batch.input_ids)
        indices[:, : self.shared_prefix_length] = torch.arange(self.shared_prefix_length)
        return indices.flatten()

    def unpad(self, x: Tensor) -> Tensor:
        """Turns ``(n_batch_rows, padded_length, ...)`` into ``(n_tokens, ...)``."""
        x = x.flatten(0, 1)
        return x if self.padded_indices is None else x.index_select(0, self.padded_indices)

    def pad(self, x: Tensor) -> Tensor:
        """Turns ``(n_tokens, width)`` into ``(n_batch_rows, padded_length, width)``."""
        x = x if self.flat_indices is None else x.index_select(0, self.flat_indices)
        return x.view(*self.batch.input_ids.shape, -1)

    def mask(self, window: int | None) -> Tensor:
        """The additive causal mask of the padded batch, ``(n_batch_rows, 1, padded_length, padded_length)``."""
        if window not in self._masks:
            self._masks[window] = additive_mask(self.batch, torch.float32, window=window)
        return self._masks[window]

    @cached_property
    def n_tokens(self) -> int:
        """The number of flat tokens."""
        return int(self.row_starts[-1])

    @cached_property
    def prefix_lengths(self) -> Ints:
        """How many tokens of the shared prefix each row begins with, ``(n_rows,)``; 0 for the prefix's own row."""
        n_batch_rows, shared = len(self.batch.lengths), self.shared_prefix_length
        return np.array([0] * bool(shared) + [shared] * n_batch_rows, dtype=np.int32)

    @cached_property
    def row_starts(self) -> Ints:
        """The first flat token of each row after its prefix, and the number of tokens: ``(n_rows + 1,)``."""
        shared = self.shared_prefix_length
        remaining = self.batch.lengths.numpy() - shared
        return np.cumsum([0, *[shared] * bool(shared), *remaining]).astype(np.int32)

    @cached_property
    def weight_starts(self) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
        """How many numbers the lower triangles of the attention weights of all earlier rows have, ``(n_rows + 1,)``."""
        lengths = (self.prefix_lengths + np.diff(self.row_starts)).astype(np.int64)
        return np.concatenate([[0], np.cumsum(lengths * (lengths + 1) // 2)])

    def first_queries(self, query_indices: Tensor | None) -> Ints:
        """Returns the index within each row of the first token that needs its attention output.

        Parameters
        ----------
        query_indices
            The flat tokens that need it, in increasing order; None means all tokens.

        Returns
        -------
        array of shape ``(n_rows,)``
            The row's length where no token of the row needs it.
        """
        if query_indices is None:
            return self.prefix_lengths
        queries = np.append(query_indices.numpy(), self.row_starts[-1])
        first = queries[np.searchsorted(queries, self.row_starts[:-1])]
        first_in_row: Ints = self.prefix_lengths + np.minimum(first, self.row_starts[1:]) - self.row_starts[:-1]
        return first_in_row.astype(np.int32)

    @cached_property
    def attended_until(self) -> Ints:
        """The index within its row of the first later token that does not attend to the token, ``(n_tokens,)``."""
        return self.unpad(self.batch.attended_until).numpy().astype(np.int32)

    @cached_property
    def position_ids(self) -> Ints:
        """The position of each token in its sequence, ``(n_tokens,)``."""
        return self.unpad(self.batch.position_ids).numpy().astype(np.int32)
