"""The packed scorer: every item's context is read once, for all its options and for every adapter the same way."""

import logging
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from donorgrid.models.heads import target_nats
from donorgrid.models.masks import Form, find_form, hidden_states
from donorgrid.models.memory import out_of_memory
from donorgrid.score.encode import EncodedItem
from donorgrid.score.packing import PackedBatch, PackedItems, halves, pack_items
from donorgrid.score.plain import score_options

_LOG = logging.getLogger("donorgrid")
# Tokens side by side: what keeps the device busy. Fixed, and not measured, so that a re-run computes the same bytes.
_BUDGET = {"cpu": 2048, "cuda": 32768}
# What the packed scores of a few items may differ from the plain ones, on average a token: rounding, and nothing else.
_TOLERANCE_NATS = {torch.float32: 1e-4, torch.bfloat16: 5e-2}
_CHECKED_ITEMS = 2
# Reading a token costs a layer some 6 pairs of attention for each of the model's dimensions; a CPU is slower at pairs.
_TOKEN_WORTH = 2.0


class Scorer:
    """Scores items on one resident network, whatever adapter is merged into it.

    At its first use, and again when longer items come, it checks itself against reading the options one by one; where
    they differ it says so and goes on the plain way.
    """

    def __init__(self, network: Any, *, max_length: int, budget: int | None = None) -> None:
        self._network = network
        self._device: torch.device = network.get_input_embeddings().weight.device
        self._max_length = max_length
        self._budget = budget or _BUDGET.get(self._device.type, _BUDGET["cpu"])
        self._form: Form | None = None
        self._is_plain = False
        self._checked = 0

    @property
    def is_plain(self) -> bool:
        """Whether the self-check found that this model's options must be read one by one."""
        return self._is_plain

    def pack(self, items: Sequence[EncodedItem]) -> PackedItems:
        """Make items ready; worth doing once for all adapters."""
        worth = _TOKEN_WORTH * self._network.config.get_text_config().hidden_size
        return pack_items(items, max_length=self._max_length, budget=self._budget, token_worth=worth)

    def score(self, packed: PackedItems) -> list[list[float]]:
        """Log-likelihood of each option of each item: the sum over its tokens after the context, in nats."""
        self._check(packed)
        if self._is_plain:
            return score_options(self._network, packed.items, max_length=self._max_length)
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
        form = self._form or "one mask"
        hidden = hidden_states(self._network, batch.rows.to(self._device), form).flatten(0, 1)
        heads, readers, targets = (one.to(self._device) for one in (batch.heads, batch.readers, batch.targets))
        return target_nats(self._network, hidden[heads], readers, targets).double().cpu()

    def _check(self, packed: PackedItems) -> None:
        longest = max((len(one.ids) for one in packed.sequences), default=0)
        if self._is_plain or longest <= self._checked:
            return
        by_length = sorted(range(len(packed.items)), key=lambda one: (len(packed.items[one].context), one))
        few = {*by_length[:_CHECKED_ITEMS], *by_length[-_CHECKED_ITEMS:]}
        sequences = [packed.sequences[one].ids for item in sorted(few) for one in packed.options[item]]
        found = find_form(self._network, sequences, tolerance_nats=_TOLERANCE_NATS[self._network.dtype])
        self._form, self._is_plain, self._checked = found.form, found.form is None, longest
        if self._is_plain:
            kind = type(self._network).__name__
            _LOG.warning("%s: packed scores are %.2g nats off; its options are read one by one", kind, found.gap_nats)
