"""The plain scorer: every option is read after its own copy of the context. Slow, simple, right: the reference.

Batches never mix targets, so the scores of a target do not depend on what else is scored with it.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch import Tensor

from donorgrid.models.output_head import logits_at
from donorgrid.score.encode import EncodedItem
from donorgrid.score.sequences import ScoredSequence, sequence_of

_TOKENS_PER_BATCH = 4096


def score_options(network: Any, items: Sequence[EncodedItem], *, max_length: int) -> list[list[float]]:
    """Log-likelihood of each option of each item: the sum over its tokens after the context, in nats.

    The last ``max_length + 1`` tokens of context + option are kept. Identical options are read once.
    """
    wanted = {sequence_of(item, tail, max_length) for item in items for tail in item.continuations}
    ordered = sorted(wanted, key=lambda one: (len(one.token_ids), one.token_ids, one.n))
    device = network.get_input_embeddings().weight.device
    known: dict[ScoredSequence, float] = {}
    with torch.inference_mode():
        for batch in _batches(ordered):
            known.update(zip(batch, _score_batch(network, batch, device), strict=True))
    return [[known[sequence_of(item, tail, max_length)] for tail in item.continuations] for item in items]


def _batches(ordered: Sequence[ScoredSequence]) -> Iterator[list[ScoredSequence]]:
    batch: list[ScoredSequence] = []
    for one in ordered:
        if batch and (len(batch) + 1) * len(one.token_ids) > _TOKENS_PER_BATCH:
            yield batch
            batch = []
        batch.append(one)
    if batch:
        yield batch


def _score_batch(network: Any, batch: Sequence[ScoredSequence], device: torch.device) -> list[float]:
    length = max(len(one.token_ids) for one in batch) - 1
    ids = torch.zeros(len(batch), length, dtype=torch.long)
    mask = torch.zeros(len(batch), length, dtype=torch.long)
    where = torch.zeros(len(batch), length, dtype=torch.bool)
    targets: list[int] = []
    for row, one in enumerate(batch):
        n_read = len(one.token_ids) - 1
        ids[row, :n_read] = torch.tensor(one.token_ids[:-1])
        mask[row, :n_read] = 1
        where[row, n_read - one.n : n_read] = True
        targets += one.token_ids[-one.n :]
    logits = logits_at(network, {"input_ids": ids.to(device), "attention_mask": mask.to(device)}, where.to(device))
    return _sums(logits, torch.tensor(targets, device=device), [one.n for one in batch])


def _sums(logits: Tensor, targets: Tensor, counts: list[int]) -> list[float]:
    """Sum the log-probabilities of ``targets`` over consecutive runs of ``counts`` rows."""
    nats = logits.float().log_softmax(-1).gather(1, targets[:, None])[:, 0]
    parts = torch.split(nats.double().cpu(), counts)
    return [part.sum().item() for part in parts]
