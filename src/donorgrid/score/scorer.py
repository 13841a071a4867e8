"""The packed scorer: every item's context is read once, for all its options and for every adapter the same way."""

import logging
from collections.abc import Sequence

import torch
from torch import Tensor

from donorgrid.models.memory import out_of_memory
from donorgrid.models.output_head import target_loglik_nats
from donorgrid.models.reader import Reader
from donorgrid.score.encode import EncodedItem
from donorgrid.score.packing import PackedBatch, PackedItems, halves, pack_items
from donorgrid.score.plain import score_options

_LOG = logging.getLogger("donorgrid")
# Tokens side by side: what keeps the device busy. Fixed, and not measured, so that a re-run computes the same bytes.
_BUDGET = {"cpu": 2048, "cuda": 32768}
# Reading a token costs a layer some 6 pairs of attention for each of the model's dimensions; a CPU is slower at pairs.
_TOKEN_WORTH = 2.0


class Scorer:
    """Scores items on one resident network, whatever adapter is merged into it.

    At its first use, and again when longer items come, a few are also read one by one; where that differs, the reader
    says so and scoring goes on the plain way.
    """

    def __init__(self, reader: Reader, *, max_length: int, budget: int | None = None) -> None:
        self._reader = reader
        self._max_length = max_length
        self._budget = budget or _BUDGET.get(reader.device.type, _BUDGET["cpu"])

    def pack(self, items: Sequence[EncodedItem]) -> PackedItems:
        """Make items ready; worth doing once for all adapters."""
        worth = _TOKEN_WORTH * self._reader.network.config.get_text_config().hidden_size
        return pack_items(items, max_length=self._max_length, budget=self._budget, token_worth=worth)

    def score(self, packed: PackedItems) -> list[list[float]]:
        """Log-likelihood of each option of each item: the sum over its tokens after the context, in nats."""
        self._reader.check([one.token_ids for one in packed.sequences])
        if not self._reader.can_pack:
            return score_options(self._reader.network, packed.items, max_length=self._max_length)
        totals = torch.zeros(len(packed.sequences), dtype=torch.float64)
        place = 0
        with torch.inference_mode():
            while place < len(packed.batches):
                nats = self._try(packed, place)
                if nats is not None:
                    totals.index_add_(0, packed.batches[place].owners, nats)
                    place += 1
        return [[totals[one].item() for one in options] for options in packed.options]

    def _try(self, packed: PackedItems, place: int) -> Tensor | None:
        """The log-probabilities of one batch; None when it was too large and is now two."""
        batch = packed.batches[place]
        try:
            return self._score_batch(batch)
        except RuntimeError as error:
            smaller = halves(batch, packed.sequences)
            if not out_of_memory(error) or len(smaller) == 1:
                raise
        packed.batches[place : place + 1] = smaller
        self._budget = min(self._budget, max(1, batch.n_tokens // 2))
        _LOG.warning("out of memory at %d tokens at once: scoring goes on with half as many", batch.n_tokens)
        return None

    def _score_batch(self, batch: PackedBatch) -> Tensor:
        hidden = self._reader.hidden_states_at(batch.rows, batch.heads)
        readers, targets = batch.readers.to(hidden.device), batch.targets.to(hidden.device)
        return target_loglik_nats(self._reader.network, hidden, readers, targets).double().cpu()
