"""The attention mask of one long row as FlexAttention's ``BlockMask``, without a square tensor.

Token q attends to token j exactly when ``j <= q < attended_until[j]`` (``models.rows``). So a block of queries needs an
earlier block of keys if the largest ``attended_until`` of these keys lies beyond the first query, and needs no mask
inside it if the smallest one lies beyond the last query.
"""

import torch
from torch import Tensor
from torch.nn.attention.flex_attention import BlockMask

from donorgrid.models.gpu.flat_rows import BLOCK_SIZE, FlatRow


def block_mask(row: FlatRow, *, window: int | None) -> BlockMask:
    """The mask of one row.

    Parameters
    ----------
    row
        On the device that will compute.
    window
        The sliding window, in position ids; None: no window.

    Returns
    -------
    BlockMask
        (1, 1, n_tokens, n_tokens): query by key.
    """
    until, positions = row.attended_until, row.position_ids
    n_tokens = len(until)

    def is_attended(_batch: Tensor, _head: Tensor, query: Tensor, key: Tensor) -> Tensor:
        return (key <= query) & (query < until[key])

    def is_attended_in_window(_batch: Tensor, _head: Tensor, query: Tensor, key: Tensor) -> Tensor:
        return (key <= query) & (query < until[key]) & (positions[query] - positions[key] < (window or n_tokens))

    first = torch.arange(0, n_tokens, BLOCK_SIZE, device=until.device)
    lowest, highest = _bounds(until)
    is_earlier = first[:, None] > first
    is_needed = (first[:, None] == first) | (is_earlier & (highest > first[:, None]))
    is_full = is_earlier & (lowest >= (first + BLOCK_SIZE).clamp(max=n_tokens)[:, None])
    if window is not None:
        lowest, highest = _bounds(positions)
        is_full &= highest[:, None] - lowest < window
    mask: BlockMask = BlockMask.from_kv_blocks(
        *_listed(is_needed & ~is_full),
        *_listed(is_full),
        BLOCK_SIZE=BLOCK_SIZE,
        mask_mod=is_attended if window is None else is_attended_in_window,
        seq_lengths=(n_tokens, n_tokens),
    )
    return mask


def _bounds(values: Tensor) -> tuple[Tensor, Tensor]:
    """The smallest and the largest value of each block of tokens, (n_blocks,) each; the last block may be short."""
    n_missing = -len(values) % BLOCK_SIZE
    blocks = torch.cat([values, values[-1:].expand(n_missing)]).view(-1, BLOCK_SIZE)
    return blocks.amin(1), blocks.amax(1)


def _listed(is_chosen: Tensor) -> tuple[Tensor, Tensor]:
    """For each block of queries, the number of chosen blocks of keys, and their indices first among all indices."""
    counts = is_chosen.sum(1, dtype=torch.int32)
    indices = is_chosen.to(torch.int8).argsort(dim=1, descending=True, stable=True).to(torch.int32)
    return counts[None, None], indices[None, None]
