"""Losses of stacked adapters on their texts: the head reads supervised positions only, and memory may run short."""

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
# What reading a token costs a layer, in pairs of tokens that see each other, for each dimension of the model.
_TOKEN_WORTH = 2.0
_VALIDATION_TOKENS = {"cpu": 2048, "cuda": 16384}


class Losses:
    """Losses with one resident network; it remembers into how many pieces a batch must be cut to fit the memory."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._worth = _TOKEN_WORTH * reader.network.config.get_text_config().hidden_size
        self._n_pieces = 1

    def backward(self, stack: Trainable, texts_of: Sequence[Texts], counts: Sequence[int]) -> tuple[Tensor, Tensor]:
        """Summed losses (K,), nats, and the gradients (K, parameters) of the mean losses (sums by ``counts``).

        Out of memory, the batch is cut into pieces whose gradients add up to the same.
        """
        weights = 1.0 / torch.tensor(counts, dtype=torch.float32, device=stack.values.device)
        while True:
            try:
                return self._backward(stack, texts_of, weights)
            except RuntimeError as error:
                is_smallest = self._n_pieces >= max(map(len, texts_of))
                if not out_of_memory(error) or (is_smallest and len(stack) == 1):
                    raise
            if is_smallest:
                parts = [self.backward(part, texts_of[cut], counts[cut]) for part, cut in _halves(stack)]
                return torch.cat([sums for sums, _ in parts]), torch.cat([gradients for _, gradients in parts])
            self._n_pieces *= 2
            _LOG.warning("out of memory: training goes on with each batch in %d pieces", self._n_pieces)

    def means(self, stack: Trainable, texts_of: Sequence[Texts]) -> list[float | None]:
        """Mean loss per supervised token (nats) of each adapter on its texts, without gradients; None without texts."""
        totals = torch.zeros(len(stack), dtype=torch.float64)
        ordered = [sorted(texts, key=lambda text: len(text.token_ids)) for texts in texts_of]
        longest = max((len(text.token_ids) for texts in texts_of for text in texts), default=1)
        budget = _VALIDATION_TOKENS.get(self._reader.device.type, _VALIDATION_TOKENS["cpu"])
        size = max(1, budget // (longest * len(stack)))
        start = 0
        with torch.no_grad():
            while any(start < len(texts) for texts in ordered):
                try:
                    totals += self._sums(stack, [texts[start : start + size] for texts in ordered]).double().cpu()
                    start += size
                except RuntimeError as error:
                    if not out_of_memory(error) or (size == 1 and len(stack) == 1):
                        raise
                    if size == 1:
                        return [one for part, cut in _halves(stack) for one in self.means(part, texts_of[cut])]
                    size //= 2
        counts = [sum(text.n_supervised for text in texts) for texts in texts_of]
        return [total / count if count else None for total, count in zip(totals.tolist(), counts, strict=True)]

    def _backward(self, stack: Trainable, texts_of: Sequence[Texts], weights: Tensor) -> tuple[Tensor, Tensor]:
        parts = []
        for piece in range(self._n_pieces):
            part = [texts[piece :: self._n_pieces] for texts in texts_of]
            if any(part):
                sums = self._sums(stack, part)
                parts.append((sums.detach(), stack.gradients((sums * weights).sum())))
        totals, gradients = zip(*parts, strict=True)
        return sum(totals[1:], start=totals[0]), sum(gradients[1:], start=gradients[0])

    def _sums(self, stack: Trainable, texts_of: Sequence[Texts]) -> Tensor:
        """Summed negative log-likelihood (K,) of each adapter's supervised tokens, nats, in float32."""
        adapter = stack.low_rank() if isinstance(stack, StackedAdapters) else None
        by_hand = adapter if adapter and self._reader.supports(adapter) else None
        packs = self._reader.can_pack and by_hand is None  # by hand fillers cost nothing
        batch = batch_texts(texts_of, packs=packs, token_worth=self._worth)
        hidden = (
            self._reader.adapted_hidden_states_at(batch.rows, batch.heads, by_hand)
            if by_hand
            else self._active(stack, batch)
        )
        targets, owners = (one.to(hidden.device, non_blocking=True) for one in (batch.targets, batch.owners))
        nats = token_losses_nats(self._reader.network, hidden, targets)
        return torch.zeros(len(stack), device=hidden.device).index_add(0, owners, nats)

    def _active(self, stack: Trainable, batch: TextBatch) -> Tensor:
        """The hidden states (n, width) that predict the supervised tokens, with the network's own layers."""
        with stack.active(self._reader.network, n_tokens=batch.rows.input_ids.numel()):
            hidden = self._reader.hidden_states(batch.rows)
        return hidden.flatten(0, 1)[batch.heads.to(hidden.device, non_blocking=True)]


def _halves(stack: Trainable) -> list[tuple[Trainable, slice]]:
    middle = len(stack) // 2
    cuts = (slice(middle), slice(middle, len(stack)))
    return [(stack.select(range(len(stack))[cut]), cut) for cut in cuts]
