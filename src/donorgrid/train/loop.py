"""The training loop: one adapter over a frozen base, the best epoch restored from memory.

No text is padded further than its batch needs, and the output head reads only the positions whose next token is
supervised. The loss of a batch is the mean over its supervised tokens, as in transformers' causal-LM loss.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from donorgrid.core.errors import RunFailure
from donorgrid.core.records import Recipe
from donorgrid.models.heads import logits_at
from donorgrid.train.encode import EncodedText
from donorgrid.train.schedule import rate_factor


@dataclass(frozen=True, kw_only=True)
class Epoch:
    """One line of a train log. Losses are means over supervised tokens, in nats.

    ``validation_loss`` is None without a validation split; ``best`` marks an epoch better than all before it.
    """

    epoch: int
    n_steps: int
    train_loss: float
    validation_loss: float | None
    best: bool


@dataclass(frozen=True, kw_only=True)
class Corpus:
    """Encoded texts to train on and to choose the epoch by."""

    train: tuple[EncodedText, ...]
    validation: tuple[EncodedText, ...]


def fit(network: Any, parameters: Sequence[Tensor], corpus: Corpus, recipe: Recipe, *, train_seed: int) -> list[Epoch]:
    """Train ``parameters`` of ``network`` in place and leave them at the best epoch (ties: the earliest).

    Without a validation split the last epoch stays. Raises RunFailure when a loss or a gradient stops being finite.
    """
    optimiser, scheduler = _optimiser(parameters, recipe, n_texts=len(corpus.train))
    log: list[Epoch] = []
    best = [parameter.detach().clone() for parameter in parameters]
    for epoch in range(1, recipe.epochs + 1):
        order = np.random.default_rng([train_seed, epoch]).permutation(len(corpus.train))
        losses = []
        network.train()
        for batch in _batches([corpus.train[index] for index in order], recipe.batch_size, parameters[0].device):
            loss = batch.loss(network)
            _backward(loss / batch.n_supervised, parameters, recipe.max_grad_norm, f"epoch {epoch}")
            optimiser.step()
            optimiser.zero_grad(set_to_none=True)
            scheduler.step()
            losses.append((loss.item(), batch.n_supervised))
        network.eval()
        validation = _validation_loss(network, corpus.validation, recipe.batch_size, f"epoch {epoch}")
        is_best = validation is None or validation < min((_known(one) for one in log), default=math.inf)
        if is_best:
            best = [parameter.detach().clone() for parameter in parameters]
        log.append(_entry(epoch, losses, validation, is_best))
    with torch.no_grad():
        for parameter, value in zip(parameters, best, strict=True):
            parameter.copy_(value)
    return log


def _optimiser(
    parameters: Sequence[Tensor], recipe: Recipe, *, n_texts: int
) -> tuple[torch.optim.AdamW, torch.optim.lr_scheduler.LambdaLR]:
    n_steps = math.ceil(n_texts / recipe.batch_size) * recipe.epochs
    n_warmup = math.ceil(recipe.warmup_share * n_steps)
    optimiser = torch.optim.AdamW(parameters, lr=recipe.learning_rate, weight_decay=recipe.weight_decay)

    def factor(step: int) -> float:
        return rate_factor(step, n_steps=n_steps, n_warmup=n_warmup, schedule=recipe.schedule)

    return optimiser, torch.optim.lr_scheduler.LambdaLR(optimiser, factor)


def _entry(epoch: int, losses: list[tuple[float, int]], validation: float | None, best: bool) -> Epoch:
    n_supervised = sum(count for _, count in losses)
    train_loss = sum(loss for loss, _ in losses) / n_supervised
    return Epoch(epoch=epoch, n_steps=len(losses), train_loss=train_loss, validation_loss=validation, best=best)


@dataclass(frozen=True)
class _Batch:
    """Texts side by side: ids and mask (rows, length), ``where`` the positions whose next token is supervised."""

    ids: Tensor
    mask: Tensor
    where: Tensor
    targets: Tensor

    @property
    def n_supervised(self) -> int:
        return self.targets.numel()

    def loss(self, network: Any) -> Tensor:
        """Summed negative log-likelihood of the supervised tokens, nats, in float32."""
        logits = logits_at(network, {"input_ids": self.ids, "attention_mask": self.mask}, self.where)
        return cross_entropy(logits.float(), self.targets, reduction="sum")


def _batches(texts: Sequence[EncodedText], batch_size: int, device: torch.device) -> Iterator[_Batch]:
    for start in range(0, len(texts), batch_size):
        yield _collate(texts[start : start + batch_size], device)


def _collate(texts: Sequence[EncodedText], device: torch.device) -> _Batch:
    length = max(len(text.ids) for text in texts)
    ids = torch.zeros(len(texts), length, dtype=torch.long)
    mask = torch.zeros(len(texts), length, dtype=torch.long)
    where = torch.zeros(len(texts), length, dtype=torch.bool)
    for row, text in enumerate(texts):
        ids[row, : len(text.ids)] = torch.tensor(text.ids)
        mask[row, : len(text.ids)] = 1
        where[row, : len(text.ids) - 1] = torch.tensor(text.supervised[1:])
    targets = ids.roll(-1, dims=1)[where]
    return _Batch(ids.to(device), mask.to(device), where.to(device), targets.to(device))


def _backward(loss: Tensor, parameters: Sequence[Tensor], max_grad_norm: float, place: str) -> None:
    loss.backward()  # type: ignore[no-untyped-call]
    norm = torch.nn.utils.clip_grad_norm_(parameters, max_grad_norm)
    if not torch.isfinite(norm):
        raise RunFailure(f"training diverged in {place}: loss {loss.item()}, gradient norm {norm.item()}")


def _validation_loss(network: Any, texts: Sequence[EncodedText], batch_size: int, place: str) -> float | None:
    if not texts:
        return None
    total, n_tokens = 0.0, 0
    with torch.no_grad():
        by_length = sorted(texts, key=lambda text: len(text.ids))
        for batch in _batches(by_length, batch_size, next(network.parameters()).device):
            total, n_tokens = total + batch.loss(network).item(), n_tokens + batch.n_supervised
    if not math.isfinite(total):
        raise RunFailure(f"training diverged in {place}: validation loss {total}")
    return total / n_tokens


def _known(epoch: Epoch) -> float:
    return math.inf if epoch.validation_loss is None else epoch.validation_loss
