"""The plain scorer: every option is read after its own copy of the context. Slow, simple, right: the reference.

Batches never mix targets, so the scores of a target do not depend on what else is scored with it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from donorgrid.models.heads import logits_at
from donorgrid.score.encode import EncodedItem

_TOKENS_PER_BATCH = 4096


@dataclass(frozen=True)
class _Sequence:
    """One (context, option): all its tokens, of which the last ``n`` are scored."""

    ids: tuple[int, ...]
    n: int


def score_options(network: Any, items: Sequence[EncodedItem], *, max_length: int) -> list[list[float]]:
    """Log-likelihood of each option of each item: the sum over its tokens after the context, in nats.

    The last ``max_length + 1`` tokens of context + option are kept. Identical options are read once.
    """
    wanted = {_sequence(item, tail, max_length) for item in items for tail in item.tails}
    ordered = sorted(wanted, key=lambda one: (len(one.ids), one.ids, one.n))
    device = network.get_input_embeddings().weight.device
    known: dict[_Sequence, float] = {}
    with torch.inference_mode():
        for batch in _batches(ordered):
            known.update(zip(batch, _score_batch(network, batch, device), strict=True))
    return [[known[_sequence(item, tail, max_length)] for tail in item.tails] for item in items]


def _sequence(item: EncodedItem, tail: tuple[int, ...], max_length: int) -> _Sequence:
    ids = (*item.context, *tail)[-(max_length + 1) :]
    return _Sequence(ids, min(len(tail), len(ids) - 1))


def _batches(ordered: Sequence[_Sequence]) -> Iterator[list[_Sequence]]:
    batch: list[_Sequence] = []
    for one in ordered:
        if batch and (len(batch) + 1) * len(one.ids) > _TOKENS_PER_BATCH:
            yield batch
            batch = []
        batch.append(one)
    if batch:
        yield batch


def _score_batch(network: Any, batch: Sequence[_Sequence], device: torch.device) -> list[float]:
    length = max(len(one.ids) for one in batch) - 1
    ids = torch.zeros(len(batch), length, dtype=torch.long)
    mask = torch.zeros(len(batch), length, dtype=torch.long)
    where = torch.zeros(len(batch), length, dtype=torch.bool)
    targets: list[int] = []
    for row, one in enumerate(batch):
        n_read = len(one.ids) - 1
        ids[row, :n_read] = torch.tensor(one.ids[:-1])
        mask[row, :n_read] = 1
        where[row, n_read - one.n : n_read] = True
        targets += one.ids[-one.n :]
    logits = logits_at(network, {"input_ids": ids.to(device), "attention_mask": mask.to(device)}, where.to(device))
    return _sums(logits, torch.tensor(targets, device=device), [one.n for one in batch])


def _sums(logits: Tensor, targets: Tensor, counts: list[int]) -> list[float]:
    """Sum the log-probabilities of ``targets`` over consecutive runs of ``counts`` rows."""
    nats = logits.float().log_softmax(-1).gather(1, targets[:, None])[:, 0]
    parts = torch.split(nats.double().cpu(), counts)
    return [part.sum().item() for part in parts]
