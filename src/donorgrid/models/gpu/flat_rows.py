"""A batch of rows as one long row: the two numbers per token that hold the causal mask need no square tensor."""

from dataclasses import dataclass

import torch
from torch import Tensor

from donorgrid.models.rows import RowBatch

BLOCK_SIZE = 128
"""FlexAttention computes or skips the attention of so many queries to so many keys."""


@dataclass(frozen=True)
class FlatRow:
    """All tokens of a batch in one row, row after row.

    Attributes
    ----------
    input_ids, position_ids, attended_until
        As in ``Row``, with indices of the one row: (n_tokens,).
    index_of
        For each index into the flattened batch (n_rows * length), that token's index in the one row; for padding that
        was dropped, the index of the next token. (n_rows * length + 1,).
    """

    input_ids: Tensor
    position_ids: Tensor
    attended_until: Tensor
    index_of: Tensor

    def to(self, device: torch.device) -> "FlatRow":
        """The same row on a device."""
        parts = (self.input_ids, self.position_ids, self.attended_until, self.index_of)
        return FlatRow(*(part.to(device, non_blocking=True) for part in parts))


def flatten_rows(batch: RowBatch, *, drops_padding: bool) -> FlatRow:
    """Puts the rows of a batch into one row. No token attends to a token of another row, as before.

    Parameters
    ----------
    batch
        Rows of tokens.
    drops_padding
        True: padding is left out, and a little is added at the end, up to a multiple of ``BLOCK_SIZE``. False: the one
        row has every token of the batch, padding among them, in the same order.

    Returns
    -------
    FlatRow
        On the batch's device.
    """
    n_rows, length = batch.input_ids.shape
    device = batch.input_ids.device
    starts = torch.arange(n_rows, device=device)[:, None] * length
    attended_until = (batch.attended_until + starts).flatten()
    if not drops_padding:
        index_of = torch.arange(n_rows * length + 1, device=device)
        return FlatRow(batch.input_ids.flatten(), batch.position_ids.flatten(), attended_until, index_of)
    is_token = (torch.arange(length, device=device) < batch.lengths[:, None]).flatten()
    index_of = torch.cat([is_token.new_zeros(1, dtype=torch.long), is_token.cumsum(0)])
    n_tokens = int(batch.lengths.sum())
    n_added = -n_tokens % BLOCK_SIZE
    added = torch.zeros(n_added, dtype=torch.long, device=device)
    alone = torch.arange(n_tokens + 1, n_tokens + n_added + 1, device=device)
    return FlatRow(
        input_ids=torch.cat([batch.input_ids.flatten()[is_token], added]),
        position_ids=torch.cat([batch.position_ids.flatten()[is_token], added]),
        attended_until=torch.cat([index_of[attended_until[is_token]], alone]),
        index_of=index_of,
    )
