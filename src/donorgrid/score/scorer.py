"""The packed scorer: every item's context is read once, for all its options and for every adapter the same way."""

import logging
from collections.abc import Sequence

import torch
from torch import Tensor

from donorgrid.core.work_reports import report_share
from donorgrid.models.memory import out_of_memory
from donorgrid.models.output_head import target_loglik_nats
from donorgrid.models.reader import Reader
from donorgrid.score.encode import EncodedItem
from donorgrid.score.packing import PackedBatch, PackedItems, halve, pack_items
from donorgrid.score.plain import score_options

_LOG = logging.getLogger("donorgrid")
# Tokens of a batch: as many as keep the device busy. Fixed and not measured, so that a re-run computes the same bytes.
_BUDGET = {"cpu": 2048, "cuda": 32768}
# Reading a token costs a layer some 6 pairs of attention for each of the model's dimensions; a CPU is slower at pairs.
_TOKEN_COST = 2.0


class Scorer:
    """Scores items on one resident network, whatever adapter is active in it.

    Before it scores, the reader checks that packed rows give what single sequences give (``Reader.check``). If they do
    not, the reader says so and scoring goes on by ``plain.score_options``.
    """

    def __init__(self, reader: Reader, *, max_length: int, budget: int | None = None) -> None:
        """``max_length`` is the model's longest input in tokens, ``budget`` the most tokens of a batch."""
        self._reader = reader
        self._max_length = max_length
        self._budget = budget or _BUDGET.get(reader.device.type, _BUDGET["cpu"])

    def pack(self, items: Sequence[EncodedItem]) -> PackedItems:
        """Packs items into batches, once for all adapters."""
        token_cost = _TOKEN_COST * self._reader.network.config.get_text_config().hidden_size
        return pack_items(items, max_length=self._max_length, budget=self._budget, token_cost=token_cost)

    def can_round_products(self, packed: PackedItems) -> bool:
        """Whether ``score`` can compute products in bf16 with weights in float32; the reader is checked first."""
        self._reader.check([sequence.token_ids for sequence in packed.sequences])
        return self._reader.can_round_products

    def score(self, packed: PackedItems, *, rounds_products: bool = False) -> list[list[float]]:
        """The log-likelihood of each option of each item, in nats: the sum over its tokens after the context.

        Out of memory, a batch of ``packed`` is replaced by two smaller ones.

        Parameters
        ----------
        packed
            The items of one target.
        rounds_products
            Whether products are computed in bf16, where ``can_round_products``.

        Returns
        -------
        list of list of float
            In the order of the items.
        """
        self._reader.check([sequence.token_ids for sequence in packed.sequences])
        if not self._reader.can_pack:
            return score_options(self._reader.network, packed.items, max_length=self._max_length)
        nats_of: list[Tensor] = []  # on the device: nothing is waited for between batches
        with torch.inference_mode():
            while len(nats_of) < len(packed.batches):
                nats = self._try_batch(packed, len(nats_of), rounds_products)
                if nats is not None:
                    nats_of.append(nats)
                    report_share(len(nats_of) / len(packed.batches))
            sums = torch.zeros(len(packed.sequences), dtype=torch.float64)
            for batch, nats in zip(packed.batches, nats_of, strict=True):
                sums.index_add_(0, batch.sequence_indices, nats.double().cpu())
        return [[sums[sequence].item() for sequence in options] for options in packed.options]

    def _try_batch(self, packed: PackedItems, index: int, rounds_products: bool) -> Tensor | None:
        """The log-probabilities (n_targets,) of one batch; None if it was too large and is now two."""
        batch = packed.batches[index]
        try:
            return self._score_batch(batch, rounds_products)
        except RuntimeError as error:
            smaller = halve(batch, packed.sequences)
            if not out_of_memory(error) or len(smaller) == 1:
                raise
        packed.batches[index : index + 1] = smaller
        self._budget = min(self._budget, max(1, batch.n_tokens // 2))
        _LOG.warning("out of memory at %d tokens at once: scoring goes on with half as many", batch.n_tokens)
        return None

    def _score_batch(self, batch: PackedBatch, rounds_products: bool) -> Tensor:
        read = self._reader.rounded_hidden_states_at if rounds_products else self._reader.hidden_states_at
        hidden = read(batch.rows, batch.head_indices)
        targets = batch.targets.to(hidden.device, non_blocking=True)
        return target_loglik_nats(self._reader.network, hidden, batch.hidden_rows, targets)
