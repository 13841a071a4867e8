"""Pre-training batches: lines packed into rows of one length, each with attention to itself only."""

from dataclasses import dataclass

import torch
from torch.nn import functional
from transformers import LlamaForCausalLM


@dataclass(frozen=True)
class Batch:
    """Lines packed into rows; all tensors have the shape ``(n_rows, n_tokens)``.

    Attributes
    ----------
    ids
        Token IDs.
    positions
        Position IDs within the line.
    line
        The index of the line within its row, -1 for padding.
    """

    ids: torch.Tensor
    positions: torch.Tensor
    line: torch.Tensor


def packed_batches(encoded: list[list[int]], row_tokens: int, batch_rows: int) -> list[Batch]:
    """Pack whole lines, in their order, into rows and batches.

    Parameters
    ----------
    encoded
        Token IDs of each line.
    row_tokens
        The length of a row.
    batch_rows
        Rows in a batch.

    Returns
    -------
    list of Batch
    """
    packed: list[list[list[int]]] = [[]]
    room = row_tokens
    for ids in encoded:
        if len(ids) > room:
            packed.append([])
            room = row_tokens
        packed[-1].append(ids)
        room -= len(ids)
    starts = range(0, len(packed), batch_rows)
    return [_batch(packed[start : start + batch_rows], row_tokens) for start in starts]


def _batch(rows: list[list[list[int]]], row_tokens: int) -> Batch:
    def padded(values: list[list[int]], padding: int) -> torch.Tensor:
        return torch.tensor([row + [padding] * (row_tokens - len(row)) for row in values])

    return Batch(
        ids=padded([[token for ids in row for token in ids] for row in rows], 0),
        positions=padded([[position for ids in row for position in range(len(ids))] for row in rows], 0),
        line=padded([[line for line, ids in enumerate(row) for _ in ids] for row in rows], -1),
    )


def mean_loss(model: LlamaForCausalLM, batch: Batch) -> torch.Tensor:
    """Mean next-token loss of a batch; attention is causal within a line.

    Parameters
    ----------
    model
        The model.
    batch
        Packed lines.

    Returns
    -------
    torch.Tensor
        A scalar, in nats per predicted token.
    """
    n = batch.ids.shape[1]
    same_line = batch.line[:, :, None] == batch.line[:, None, :]
    visible = same_line & torch.ones(n, n, dtype=torch.bool).tril()
    hidden = model.model(
        input_ids=batch.ids, position_ids=batch.positions, attention_mask=visible[:, None], use_cache=False
    ).last_hidden_state
    counted = same_line.diagonal(1, 1, 2) & (batch.line[:, 1:] >= 0)
    return functional.cross_entropy(model.lm_head(hidden[:, :-1][counted]), batch.ids[:, 1:][counted])
