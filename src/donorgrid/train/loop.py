"""The training loop: one or several trainings over one frozen base, the best epoch of each kept in memory.

Every training has its own order of texts, loss (the mean over its batch's supervised tokens, as transformers' causal-LM
loss), gradient clipping, schedule, best epoch and failure: nothing depends on the others. The base stays in eval mode,
so its own dropout is off. Nothing is copied from the device before an epoch ends.
"""

from collections.abc import Iterator, Sequence

import numpy as np

from donorgrid.core.errors import RunFailure
from donorgrid.core.records import Recipe
from donorgrid.core.work_reports import report_share
from donorgrid.models.reader import Reader
from donorgrid.train.adamw import StackedAdamW, clip_rows
from donorgrid.train.encode import Corpus, EncodedText
from donorgrid.train.losses import Losses
from donorgrid.train.progress import FitResult, TrainingProgress
from donorgrid.train.schedule import rate_factor
from donorgrid.train.trainable import Trainable

Results = dict[int, FitResult | RunFailure]


def fit(
    reader: Reader,
    trainable: Trainable,
    corpora: Sequence[Corpus],
    recipe: Recipe,
    *,
    train_seeds: Sequence[int],
    checkpoints: Sequence[float] = (),
) -> list[FitResult | RunFailure]:
    """Trains the K rows of ``trainable`` and returns each at its best epoch (the earliest of equal ones).

    Without a validation split the last epoch counts.

    Parameters
    ----------
    reader
        Reads rows of tokens with the base's network.
    trainable
        K rows of parameters; they change in place.
    corpora
        The K sets of texts.
    recipe
        Epochs, batch size, learning rate, schedule, clipping, weight decay.
    train_seeds
        K seeds, of the order of the texts.
    checkpoints
        Epochs, also fractions, above 0 and at most the recipe's. The parameters after the first step that completes
        them are kept too. The training does not depend on them.

    Returns
    -------
    list
        K results; a RunFailure where a loss or a gradient was not finite.
    """
    reader.check([text.token_ids for corpus in corpora for text in (*corpus.train, *corpus.validation)])
    losses = Losses(reader)
    results: Results = {}
    running = [
        _start(index, corpus, recipe, train_seed, checkpoints)
        for index, (corpus, train_seed) in enumerate(zip(corpora, train_seeds, strict=True))
    ]
    optimizer = StackedAdamW(trainable.values, weight_decay=recipe.weight_decay)
    while running:
        _step(losses, trainable, optimizer, running)
        report_share(sum(training.n_steps / len(training.learning_rates) for training in running) / len(running))
        ended = [row for row, training in enumerate(running) if training.is_at_epoch_end]
        if not ended:
            continue
        results |= _end_epoch(losses, trainable, running, ended)
        remaining = [row for row, training in enumerate(running) if training.index not in results]
        if remaining and len(remaining) < len(running):
            trainable = trainable.select(remaining)
            optimizer = optimizer.select(trainable.values, remaining)
        running = [running[row] for row in remaining]
    return [results[index] for index in range(len(corpora))]


def _start(
    index: int, corpus: Corpus, recipe: Recipe, train_seed: int, checkpoints: Sequence[float]
) -> TrainingProgress:
    n_steps, n_warmup = recipe.n_steps(len(corpus.train)), recipe.n_warmup_steps(len(corpus.train))
    learning_rates = [
        recipe.learning_rate * rate_factor(step, n_steps=n_steps, n_warmup=n_warmup, schedule=recipe.schedule)
        for step in range(n_steps)
    ]
    return TrainingProgress(
        index=index,
        corpus=corpus,
        recipe=recipe,
        batches=_batches(corpus.train, recipe, train_seed),
        learning_rates=learning_rates,
        checkpoint_epochs=tuple(checkpoints),
    )


def _batches(texts: Sequence[EncodedText], recipe: Recipe, train_seed: int) -> Iterator[list[EncodedText]]:
    """The batches of all epochs; every epoch has its own order, and its last batch may be small."""
    for epoch in range(1, recipe.epochs + 1):
        order = np.random.default_rng([train_seed, epoch]).permutation(len(texts))
        for start in range(0, len(texts), recipe.batch_size):
            yield [texts[index] for index in order[start : start + recipe.batch_size]]


def _step(losses: Losses, trainable: Trainable, optimizer: StackedAdamW, running: Sequence[TrainingProgress]) -> None:
    texts_of = [next(training.batches) for training in running]
    counts = [sum(text.n_supervised for text in texts) for texts in texts_of]
    loss_sums, gradients = losses.backward(trainable, texts_of, counts)
    recipe = running[0].recipe
    if recipe.l2_sp:
        gradients = gradients.add(trainable.change_gradients(), alpha=recipe.l2_sp)
    norms = clip_rows(gradients, recipe.max_grad_norm)
    optimizer.step(gradients, [training.learning_rates[training.n_steps] for training in running])
    for row, (training, loss_sum, count, norm) in enumerate(zip(running, loss_sums, counts, norms, strict=True)):
        training.record_step(loss_sum, count, norm)
        training.copy_checkpoints(trainable.values[row])


def _end_epoch(
    losses: Losses, trainable: Trainable, running: Sequence[TrainingProgress], ended: Sequence[int]
) -> Results:
    """Validates and logs the trainings whose epoch has ended; the results of those that are over or have failed."""
    validated = trainable if len(ended) == len(trainable) else trainable.select(ended)
    validation_losses = losses.means(validated, [running[row].corpus.validation for row in ended])
    results: Results = {}
    for row, validation_loss in zip(ended, validation_losses, strict=True):
        outcome = running[row].end_epoch(validation_loss, trainable.values[row]) or running[row].result()
        if outcome is not None:
            results[running[row].index] = outcome
    return results
