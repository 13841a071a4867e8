"""Losses and gradients of one batch for K trainings: the head reads supervised tokens only; memory may run short."""

import logging
from collections.abc import Sequence

import torch
from torch import Tensor

from donorgrid.models.memory import out_of_memory
from donorgrid.models.output_head import token_losses_nats
from donorgrid.models.reader import Reader
from donorgrid.train.batches import TextBatch, Texts, batch_texts
from donorgrid.train.stacked_adapters import StackedAdapters
from donorgrid.train.trainable import Trainable

_LOG = logging.getLogger("donorgrid")
# What reading a token costs a layer, in pairs of tokens in attention, for each dimension of the model.
_TOKEN_COST = 2.0
_VALIDATION_TOKENS = {"cpu": 2048, "cuda": 16384}


class Losses:
    """Losses with one resident network; it remembers into how many pieces a batch must be cut to fit the memory."""

    def __init__(self, reader: Reader) -> None:
        reader.prepare_training()  # now, while no adapter stands in the network
        self._reader = reader
        self._token_cost = _TOKEN_COST * reader.network.config.get_text_config().hidden_size
        self._n_pieces = 1

    def backward(self, trainable: Trainable, texts_of: Sequence[Texts], counts: Sequence[int]) -> tuple[Tensor, Tensor]:
        """Losses and gradients of one optimizer step. Out of memory, the batch is cut; the pieces' gradients add up.

        Parameters
        ----------
        trainable
            K trainings.
        texts_of
            The texts of each.
        counts
            The number of supervised tokens of each.

        Returns
        -------
        tuple
            The summed losses (K,), nats, and the gradients (K, n_parameters) of the mean losses (sums by ``counts``).
        """
        weights = 1.0 / torch.tensor(counts, dtype=torch.float32, device=trainable.values.device)
        while True:
            try:
                return self._backward(trainable, texts_of, weights)
            except RuntimeError as error:
                is_smallest = self._n_pieces >= max(map(len, texts_of))
                if not out_of_memory(error) or (is_smallest and len(trainable) == 1):
                    raise
            if is_smallest:
                parts = [self.backward(half, texts_of[cut], counts[cut]) for half, cut in _halves(trainable)]
                return torch.cat([sums for sums, _ in parts]), torch.cat([gradients for _, gradients in parts])
            self._n_pieces *= 2
            _LOG.warning("out of memory: training goes on with each batch in %d pieces", self._n_pieces)

    def means(self, trainable: Trainable, texts_of: Sequence[Texts]) -> list[float | None]:
        """Mean losses without gradients, nats per supervised token.

        Parameters
        ----------
        trainable
            K trainings.
        texts_of
            The texts of each.

        Returns
        -------
        list
            K losses; None for a training without texts.
        """
        sums = torch.zeros(len(trainable), dtype=torch.float64)
        ordered = [sorted(texts, key=lambda text: len(text.token_ids)) for texts in texts_of]
        longest = max((len(text.token_ids) for texts in texts_of for text in texts), default=1)
        budget = _VALIDATION_TOKENS.get(self._reader.device.type, _VALIDATION_TOKENS["cpu"])
        size = max(1, budget // (longest * len(trainable)))
        start = 0
        with torch.no_grad():
            while any(start < len(texts) for texts in ordered):
                try:
                    sums += self._sums(trainable, [texts[start : start + size] for texts in ordered]).double().cpu()
                    start += size
                except RuntimeError as error:
                    if not out_of_memory(error) or (size == 1 and len(trainable) == 1):
                        raise
                    if size == 1:
                        halves = _halves(trainable)
                        return [mean for half, cut in halves for mean in self.means(half, texts_of[cut])]
                    size //= 2
        counts = [sum(text.n_supervised for text in texts) for texts in texts_of]
        return [loss_sum / count if count else None for loss_sum, count in zip(sums.tolist(), counts, strict=True)]

    def _backward(self, trainable: Trainable, texts_of: Sequence[Texts], weights: Tensor) -> tuple[Tensor, Tensor]:
        parts = []
        for piece in range(self._n_pieces):
            texts_of_piece = [texts[piece :: self._n_pieces] for texts in texts_of]
            if any(texts_of_piece):
                sums = self._sums(trainable, texts_of_piece)
                parts.append((sums.detach(), trainable.gradients((sums * weights).sum())))
        totals, gradients = zip(*parts, strict=True)
        return sum(totals[1:], start=totals[0]), sum(gradients[1:], start=gradients[0])

    def _sums(self, trainable: Trainable, texts_of: Sequence[Texts]) -> Tensor:
        """Summed losses (K,; float32) over the supervised tokens of each training, nats."""
        adapter = trainable.low_rank() if isinstance(trainable, StackedAdapters) else None
        fast = adapter if adapter and self._reader.supports(adapter) else None
        can_pack = self._reader.can_pack and fast is None  # the fast decoder skips padding: nothing to save
        batch = batch_texts(texts_of, can_pack=can_pack, token_cost=self._token_cost)
        if fast:
            hidden = self._reader.adapted_hidden_states_at(batch.rows, batch.head_indices, fast)
        else:
            hidden = self._hidden_states(trainable, batch)
        targets, adapters = (part.to(hidden.device, non_blocking=True) for part in (batch.targets, batch.adapters))
        losses = token_losses_nats(self._reader.network, hidden, targets)
        return torch.zeros(len(trainable), device=hidden.device).index_add(0, adapters, losses)

    def _hidden_states(self, trainable: Trainable, batch: TextBatch) -> Tensor:
        """The hidden states (n_targets, hidden_size) that predict the supervised tokens, by the network's layers."""
        with trainable.active(self._reader.network, n_tokens=batch.rows.input_ids.numel()):
            hidden = self._reader.hidden_states(batch.rows)
        return hidden.flatten(0, 1)[batch.head_indices.to(hidden.device, non_blocking=True)]


def _halves(trainable: Trainable) -> list[tuple[Trainable, slice]]:
    middle = len(trainable) // 2
    cuts = (slice(middle), slice(middle, len(trainable)))
    return [(trainable.select(range(len(trainable))[cut]), cut) for cut in cuts]
