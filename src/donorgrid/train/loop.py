"""The training loop: one or several adapters over one frozen base, the best epoch of each restored from memory.

Every adapter keeps its own order of texts, loss (the mean over its batch's supervised tokens, as transformers'
causal-LM loss), clipping, schedule, best epoch and failure: nothing of it depends on the others. The base's own dropout
stays off, as the base is in eval mode. Nothing is read back from the device before an epoch ends.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from donorgrid.core.errors import RunFailure
from donorgrid.core.records import Recipe
from donorgrid.models.reader import Reader
from donorgrid.train.adamw import StackedAdamW, clip_rows
from donorgrid.train.encode import EncodedText
from donorgrid.train.losses import Losses
from donorgrid.train.schedule import rate_factor
from donorgrid.train.trainable import Trainable


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


@dataclass(frozen=True, kw_only=True)
class FitResult:
    """The log of one adapter and its parameters (a vector) at the best epoch.

    ``checkpoints`` holds, by epochs run, the parameters as they were at those points, on the CPU.
    """

    log: tuple[Epoch, ...]
    values: Tensor
    checkpoints: Mapping[float, Tensor] = field(default_factory=dict)

    def at_checkpoints(self) -> dict[float, "FitResult"]:
        """Each checkpoint with the log of the epochs that were over by then."""
        return {
            epochs: FitResult(log=tuple(one for one in self.log if one.epoch <= epochs), values=values)
            for epochs, values in self.checkpoints.items()
        }


@dataclass
class _TrainingProgress:
    """One adapter's way through its corpus."""

    number: int
    corpus: Corpus
    recipe: Recipe
    batches: Iterator[list[EncodedText]]
    rates: list[float]
    checkpoints: tuple[float, ...] = ()
    n_steps: int = 0
    sums: list[tuple[Tensor, int]] = field(default_factory=list)
    norms: list[Tensor] = field(default_factory=list)
    log: list[Epoch] = field(default_factory=list)
    best: Tensor | None = None
    kept: dict[float, Tensor] = field(default_factory=dict)

    @property
    def per_epoch(self) -> int:
        return math.ceil(len(self.corpus.train) / self.recipe.batch_size)

    @property
    def ends_epoch(self) -> bool:
        return self.n_steps % self.per_epoch == 0

    @property
    def is_over(self) -> bool:
        return len(self.log) == self.recipe.epochs

    def keep_checkpoints(self, values: Tensor) -> None:
        """Copy the parameters for the checkpoints that this step reaches, before any later step changes them."""
        for epochs in self.checkpoints:
            if self.n_steps == math.ceil(round(epochs * self.per_epoch, 6)):
                self.kept[epochs] = values.to("cpu", copy=True)


def fit(
    reader: Reader,
    stack: Trainable,
    corpora: Sequence[Corpus],
    recipe: Recipe,
    *,
    train_seeds: Sequence[int],
    checkpoints: Sequence[float] = (),
) -> list[FitResult | RunFailure]:
    """Train the adapters of ``stack``, one per corpus and seed; each at its best epoch (ties: the earliest), or failed.

    Without a validation split the last epoch counts. An adapter fails when a loss or a gradient is not finite.
    ``checkpoints`` are epochs, also fractions of one, above 0 and at most the recipe's: the parameters after the first
    step that completes them are kept too, and nothing of the training depends on that.
    """
    reader.check([text.token_ids for corpus in corpora for text in (*corpus.train, *corpus.validation)])
    losses = Losses(reader)
    results: dict[int, FitResult | RunFailure] = {}
    courses = [
        _course(one, corpus, recipe, seed) for one, (corpus, seed) in enumerate(zip(corpora, train_seeds, strict=True))
    ]
    for course in courses:
        course.checkpoints = tuple(checkpoints)
    optimiser = StackedAdamW(stack.values, weight_decay=recipe.weight_decay)
    while courses:
        _step(losses, stack, optimiser, courses)
        for place, course in enumerate(courses):
            course.keep_checkpoints(stack.values[place])
        due = [place for place, course in enumerate(courses) if course.ends_epoch]
        if not due:
            continue
        results |= _end_epoch(losses, stack, [(place, courses[place]) for place in due])
        left = [place for place, course in enumerate(courses) if course.number not in results]
        if left and len(left) < len(courses):
            stack = stack.select(left)
            optimiser = optimiser.select(stack.values, left)
        courses = [courses[place] for place in left]
    return [results[number] for number in range(len(corpora))]


def _course(number: int, corpus: Corpus, recipe: Recipe, train_seed: int) -> _TrainingProgress:
    n_steps = math.ceil(len(corpus.train) / recipe.batch_size) * recipe.epochs
    n_warmup = math.ceil(recipe.warmup_share * n_steps)
    rates = [
        recipe.learning_rate * rate_factor(step, n_steps=n_steps, n_warmup=n_warmup, schedule=recipe.schedule)
        for step in range(n_steps)
    ]
    batches = _batches(corpus.train, recipe, train_seed)
    return _TrainingProgress(number=number, corpus=corpus, recipe=recipe, batches=batches, rates=rates)


def _batches(texts: Sequence[EncodedText], recipe: Recipe, train_seed: int) -> Iterator[list[EncodedText]]:
    """All batches of all epochs; every epoch has its own order, and its last batch may be small."""
    for epoch in range(1, recipe.epochs + 1):
        order = np.random.default_rng([train_seed, epoch]).permutation(len(texts))
        for start in range(0, len(texts), recipe.batch_size):
            yield [texts[index] for index in order[start : start + recipe.batch_size]]


def _step(losses: Losses, stack: Trainable, optimiser: StackedAdamW, courses: Sequence[_TrainingProgress]) -> None:
    texts_of = [next(course.batches) for course in courses]
    counts = [sum(text.n_supervised for text in texts) for texts in texts_of]
    sums, gradients = losses.backward(stack, texts_of, counts)
    norms = clip_rows(gradients, courses[0].recipe.max_grad_norm)
    optimiser.step(gradients, [course.rates[course.n_steps] for course in courses])
    for course, total, count, norm in zip(courses, sums, counts, norms, strict=True):
        course.sums.append((total, count))
        course.norms.append(norm)
        course.n_steps += 1


def _end_epoch(
    losses: Losses, stack: Trainable, due: Sequence[tuple[int, _TrainingProgress]]
) -> dict[int, FitResult | RunFailure]:
    """Validate and log the adapters whose epoch has ended; the results of those that are over, or have failed."""
    places = [place for place, _ in due]
    chosen = stack if len(places) == len(stack) else stack.select(places)
    validations = losses.means(chosen, [course.corpus.validation for _, course in due])
    results: dict[int, FitResult | RunFailure] = {}
    for (place, course), validation in zip(due, validations, strict=True):
        failure = _log_epoch(course, validation, stack.values[place])
        if failure is not None:
            results[course.number] = failure
        elif course.is_over and course.best is not None:
            results[course.number] = FitResult(log=tuple(course.log), values=course.best, checkpoints=course.kept)
    return results


def _log_epoch(course: _TrainingProgress, validation: float | None, values: Tensor) -> RunFailure | None:
    epoch = len(course.log) + 1
    sums = torch.stack([total for total, _ in course.sums]).tolist()
    norms = torch.stack(course.norms).tolist()
    counts = [count for _, count in course.sums]
    for total, norm, count in zip(sums, norms, counts, strict=True):
        if not (math.isfinite(total) and math.isfinite(norm)):
            return RunFailure(f"training diverged in epoch {epoch}: loss {total / count}, gradient norm {norm}")
    if validation is not None and not math.isfinite(validation):
        return RunFailure(f"training diverged in epoch {epoch}: validation loss {validation}")
    best_before = min((one.validation_loss for one in course.log if one.validation_loss is not None), default=math.inf)
    is_best = validation is None or validation < best_before
    if is_best:
        course.best = values.clone()
    course.log.append(
        Epoch(
            epoch=epoch,
            n_steps=len(sums),
            train_loss=sum(sums) / sum(counts),
            validation_loss=validation,
            best=is_best,
        )
    )
    course.sums, course.norms = [], []
    return None
