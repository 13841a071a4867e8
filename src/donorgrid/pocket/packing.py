"""Pre-training batches: lines packed into rows of one length, none of them seeing another."""

from dataclasses import dataclass

import torch
from torch.nn import functional
from transformers import LlamaForCausalLM


@dataclass(frozen=True)
class Batch:
    """Lines packed into rows. ``ids`` and ``positions`` (within the line) have shape (rows, n), and ``line`` too, which
    numbers the lines of a row from 0 and is -1 where the row is not filled.
    """

    ids: torch.Tensor
    positions: torch.Tensor
    line: torch.Tensor


def packed_batches(encoded: list[list[int]], row_tokens: int, batch_rows: int) -> list[Batch]:
    """Lines (token IDs) packed whole and in their order into rows of ``row_tokens``, ``batch_rows`` rows to a batch."""
    packed: list[list[list[int]]] = [[]]
    room = row_tokens
    for ids in encoded:
        if len(ids) > room:
            packed.append([])
            room = row_tokens
        packed[-1].append(ids)
        room -= len(ids)
    starts = range(0, len(packed), batch_rows)
    return [_batch(packed[at : at + batch_rows], row_tokens) for at in starts]


def _batch(rows: list[list[list[int]]], row_tokens: int) -> Batch:
    def filled(values: list[list[int]], filler: int) -> torch.Tensor:
        return torch.tensor([row + [filler] * (row_tokens - len(row)) for row in values])

    return Batch(
        ids=filled([[token for ids in row for token in ids] for row in rows], 0),
        positions=filled([[place for ids in row for place in range(len(ids))] for row in rows], 0),
        line=filled([[number for number, ids in enumerate(row) for _ in ids] for row in rows], -1),
    )


def mean_loss(model: LlamaForCausalLM, batch: Batch) -> torch.Tensor:
    """Mean next-token loss (nats); a token sees the earlier tokens of its own line and nothing else."""
    n = batch.ids.shape[1]
    same_line = batch.line[:, :, None] == batch.line[:, None, :]
    visible = same_line & torch.ones(n, n, dtype=torch.bool).tril()
    hidden = model.model(
        input_ids=batch.ids, position_ids=batch.positions, attention_mask=visible[:, None], use_cache=False
    ).last_hidden_state
    counted = same_line.diagonal(1, 1, 2) & (batch.line[:, 1:] >= 0)
    return functional.cross_entropy(model.lm_head(hidden[:, :-1][counted]), batch.ids[:, 1:][counted])
