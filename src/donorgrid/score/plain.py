"""The plain scorer: every option is read after its own copy of the context. Slow and simple: the reference.

Batches never mix targets, so the scores of a target do not depend on what else is scored.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch import Tensor

from donorgrid.models.output_head import logits_at
from donorgrid.score.encode import EncodedItem
from donorgrid.score.sequences import ScoredSequence, scored_sequence

_TOKENS_PER_BATCH = 4096


def score_options(network: Any, items: Sequence[EncodedItem], *, max_length: int) -> list[list[float]]:
    """Log-likelihoods of options: the sum over the tokens after the context. Identical options are read once.

    Parameters
    ----------
    network
        A transformers causal language model.
    items
        The encoded items of one target.
    max_length
        The model's longest input in tokens; longer contexts lose their beginning.

    Returns
    -------
    list of list of float
        For each item, the log-likelihood of each option, in nats.
    """
    sequences_of = [[scored_sequence(item, option, max_length) for option in item.continuations] for item in items]
    distinct = {sequence for sequences in sequences_of for sequence in sequences}
    ordered = sorted(distinct, key=lambda sequence: (len(sequence.token_ids), sequence.token_ids, sequence.n_scored))
    device = network.get_input_embeddings().weight.device
    logliks: dict[ScoredSequence, float] = {}
    with torch.inference_mode():
        for batch in _batches(ordered):
            logliks.update(zip(batch, _score_batch(network, batch, device), strict=True))
    return [[logliks[sequence] for sequence in sequences] for sequences in sequences_of]


def _batches(ordered: Sequence[ScoredSequence]) -> Iterator[list[ScoredSequence]]:
    batch: list[ScoredSequence] = []
    for sequence in ordered:
        if batch and (len(batch) + 1) * len(sequence.token_ids) > _TOKENS_PER_BATCH:
            yield batch
            batch = []
        batch.append(sequence)
    if batch:
        yield batch


def _score_batch(network: Any, batch: Sequence[ScoredSequence], device: torch.device) -> list[float]:
    length = max(len(sequence.token_ids) for sequence in batch) - 1
    input_ids = torch.zeros(len(batch), length, dtype=torch.long)
    attention_mask = torch.zeros(len(batch), length, dtype=torch.long)
    is_scored = torch.zeros(len(batch), length, dtype=torch.bool)
    targets: list[int] = []
    for row, sequence in enumerate(batch):
        n_read = len(sequence.token_ids) - 1
        input_ids[row, :n_read] = torch.tensor(sequence.token_ids[:-1])
        attention_mask[row, :n_read] = 1
        is_scored[row, n_read - sequence.n_scored : n_read] = True
        targets += sequence.token_ids[-sequence.n_scored :]
    inputs = {"input_ids": input_ids.to(device), "attention_mask": attention_mask.to(device)}
    logits = logits_at(network, inputs, is_scored.to(device))
    return _sums(logits, torch.tensor(targets, device=device), [sequence.n_scored for sequence in batch])


def _sums(logits: Tensor, targets: Tensor, counts: list[int]) -> list[float]:
    """Sums the log-probabilities of ``targets`` over consecutive runs of ``counts`` rows."""
    nats = logits.float().log_softmax(-1).gather(1, targets[:, None])[:, 0]
    parts = torch.split(nats.double().cpu(), counts)
    return [part.sum().item() for part in parts]
