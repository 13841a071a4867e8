"""How far one training is: its steps, losses, log, best values and checkpoints; and the result that comes of it."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor

from donorgrid.core.errors import RunFailure
from donorgrid.core.records import Recipe
from donorgrid.train.encode import Corpus, EncodedText


@dataclass(frozen=True, kw_only=True)
class Epoch:
    """One line of a train log. Losses are means over supervised tokens, in nats.

    ``validation_loss`` is None without a validation split. ``best`` marks an epoch better than all earlier ones.
    """

    epoch: int
    n_steps: int
    train_loss: float
    validation_loss: float | None
    best: bool


@dataclass(frozen=True, kw_only=True)
class FitResult:
    """The result of one training.

    Attributes
    ----------
    log
        The epochs, first to last.
    values
        The parameters (n_parameters,) at the best epoch.
    checkpoints
        The parameters (n_parameters,; on the CPU) by the number of epochs after which they were copied.
    """

    log: tuple[Epoch, ...]
    values: Tensor
    checkpoints: Mapping[float, Tensor] = field(default_factory=dict)

    def at_checkpoints(self) -> dict[float, "FitResult"]:
        """Each checkpoint with the log of the epochs that were over by then."""
        return {
            epochs: FitResult(log=tuple(epoch for epoch in self.log if epoch.epoch <= epochs), values=values)
            for epochs, values in self.checkpoints.items()
        }


@dataclass(kw_only=True)
class TrainingProgress:
    """One training on its way through its corpus. Losses and norms stay on the device until an epoch ends.

    Attributes
    ----------
    index
        Which of the trainings that run together this is.
    batches
        The texts of every step still to come.
    learning_rates
        The learning rate of every step.
    checkpoint_epochs
        Epochs after which the parameters are copied, also fractions.
    loss_sums, gradient_norms
        For each step of the present epoch: the summed loss (nats) with its number of tokens, and the gradient norm.
    best_values
        The parameters at the best epoch so far.
    """

    index: int
    corpus: Corpus
    recipe: Recipe
    batches: Iterator[list[EncodedText]]
    learning_rates: list[float]
    checkpoint_epochs: tuple[float, ...] = ()
    n_steps: int = 0
    loss_sums: list[tuple[Tensor, int]] = field(default_factory=list)
    gradient_norms: list[Tensor] = field(default_factory=list)
    log: list[Epoch] = field(default_factory=list)
    best_values: Tensor | None = None
    checkpoint_values: dict[float, Tensor] = field(default_factory=dict)

    @property
    def steps_per_epoch(self) -> int:
        """Optimizer steps of one epoch; the last may have a smaller batch."""
        return math.ceil(len(self.corpus.train) / self.recipe.batch_size)

    @property
    def is_at_epoch_end(self) -> bool:
        """True if the last step completed an epoch."""
        return self.n_steps % self.steps_per_epoch == 0

    def record_step(self, loss_sum: Tensor, n_tokens: int, gradient_norm: Tensor) -> None:
        """Adds one optimizer step: its summed loss (nats, a scalar) over ``n_tokens``, and its gradient norm."""
        self.loss_sums.append((loss_sum, n_tokens))
        self.gradient_norms.append(gradient_norm)
        self.n_steps += 1

    def copy_checkpoints(self, values: Tensor) -> None:
        """Copies the parameters for the checkpoints that the last step completed; the next step changes them."""
        for epochs in self.checkpoint_epochs:
            if self.n_steps == math.ceil(round(epochs * self.steps_per_epoch, 6)):
                self.checkpoint_values[epochs] = values.to("cpu", copy=True)

    def end_epoch(self, validation_loss: float | None, values: Tensor) -> RunFailure | None:
        """Logs the epoch and copies the parameters if it is the best so far; the failure if the training diverged.

        Parameters
        ----------
        validation_loss
            Mean loss (nats per supervised token) on the validation texts; None without them.
        values
            The present parameters (n_parameters,).
        """
        epoch = len(self.log) + 1
        sums = torch.stack([loss_sum for loss_sum, _ in self.loss_sums]).tolist()
        norms = torch.stack(self.gradient_norms).tolist()
        counts = [n_tokens for _, n_tokens in self.loss_sums]
        for loss_sum, norm, n_tokens in zip(sums, norms, counts, strict=True):
            if not (math.isfinite(loss_sum) and math.isfinite(norm)):
                return RunFailure(
                    f"training diverged in epoch {epoch}: loss {loss_sum / n_tokens}, gradient norm {norm}"
                )
        if validation_loss is not None and not math.isfinite(validation_loss):
            return RunFailure(f"training diverged in epoch {epoch}: validation loss {validation_loss}")
        is_best = validation_loss is None or validation_loss < self._best_loss()
        if is_best:
            self.best_values = values.clone()
        train_loss = sum(sums) / sum(counts)
        self.log.append(
            Epoch(epoch=epoch, n_steps=len(sums), train_loss=train_loss, validation_loss=validation_loss, best=is_best)
        )
        self.loss_sums, self.gradient_norms = [], []
        return None

    def result(self) -> FitResult | None:
        """The result once all epochs are over; None before that."""
        if len(self.log) < self.recipe.epochs or self.best_values is None:
            return None
        return FitResult(log=tuple(self.log), values=self.best_values, checkpoints=self.checkpoint_values)

    def _best_loss(self) -> float:
        losses = (epoch.validation_loss for epoch in self.log)
        return min((loss for loss in losses if loss is not None), default=math.inf)
