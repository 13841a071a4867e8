"""Reading rows of tokens with a resident network, in a form of mask that it has been seen to understand."""

import logging
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from donorgrid.models.fast_cpu.decoder import FastDecoder, make_fast_decoder
from donorgrid.models.low_rank import LowRankAdapter
from donorgrid.models.masks import MaskForm, find_mask_form, hidden_states, packing_gap_nats
from donorgrid.models.rows import RowBatch, Tokens

_LOG = logging.getLogger("donorgrid")
# What packed log-probabilities may differ from plain ones, on average a token: rounding, and nothing else.
_TOLERANCE_NATS = {torch.float32: 1e-4, torch.bfloat16: 5e-2}
_AT_EACH_END = 4


class Reader:
    """Hidden states of packed rows, after a check that packing changes nothing.

    ``can_pack`` says whether several sequences may share a row; where the check failed each row must be one sequence. A
    network whose layers are known is computed by hand (``models.fast_cpu``), after the same check.
    """

    def __init__(self, network: Any) -> None:
        self.network = network
        self._form: MaskForm | None = None
        self._decoder: FastDecoder | None = None
        self._checked = 0

    @property
    def device(self) -> torch.device:
        """Where the network lies."""
        device: torch.device = self.network.get_input_embeddings().weight.device
        return device

    @property
    def can_pack(self) -> bool:
        """Whether rows may hold several sequences; True until a check has failed."""
        return self._checked == 0 or self._form is not None

    def check(self, sequences: Sequence[Tokens]) -> None:
        """Compare the shortest and longest sequences packed and read alone, unless longer ones were compared before.

        Where they differ, say so once and read every sequence alone from then on.
        """
        longest = max(map(len, sequences), default=0)
        if longest <= self._checked or not self.can_pack:
            return
        by_length = sorted(set(sequences), key=lambda one: (len(one), one))
        few = [*by_length[:_AT_EACH_END], *by_length[-_AT_EACH_END:]]
        tolerance_nats = _TOLERANCE_NATS[self.network.dtype]
        found = find_mask_form(self.network, few, tolerance_nats=tolerance_nats)
        self._form, self._checked = found.form, longest
        self._decoder = make_fast_decoder(self.network) if found.form else None
        if self._decoder is not None:
            self._check_decoder(self._decoder, few, tolerance_nats)
        if found.form is None:
            kind = type(self.network).__name__
            _LOG.warning(
                "%s: packed it is %.2g nats off; its sequences are read one by one", kind, found.packing_gap_nats
            )

    def hidden_states(self, batch: RowBatch) -> Tensor:
        """The last hidden states (rows, length, width) of a batch of rows, which ``check`` must have allowed."""
        return hidden_states(self.network, batch.to(self.device), self._form)

    def hidden_states_at(self, batch: RowBatch, places: Tensor) -> Tensor:
        """The last hidden states (n, width) at flat places (rows x length) of such a batch, by hand where it may be."""
        if self._decoder is not None and self._decoder.prepare():
            return self._decoder.hidden_states_at(batch, places)
        return self.hidden_states(batch).flatten(0, 1)[places.to(self.device)]

    def supports(self, adapter: LowRankAdapter) -> bool:
        """Whether ``adapted_hidden_states_at`` can read with this adapter; fillers then cost nothing but attention."""
        return self._decoder is not None and self._decoder.prepare() and self._decoder.supports(adapter)

    def adapted_hidden_states_at(self, batch: RowBatch, places: Tensor, adapter: LowRankAdapter) -> Tensor:
        """The same by hand, with an adapter whose gradients can be taken. RuntimeError unless ``supports`` says yes."""
        if self._decoder is None:
            raise RuntimeError("the network is not computed by hand")
        return self._decoder.hidden_states_at(batch, places, adapter)

    def _check_decoder(self, decoder: FastDecoder, sequences: Sequence[Tokens], tolerance_nats: float) -> None:
        def read(batch: RowBatch) -> Tensor:
            return decoder.hidden_states_at(batch, torch.arange(batch.input_ids.numel()))

        # Together they make a long row, and alone the shortest and the longest make rows of their own kind.
        groups = [sequences, *([one] for one in {sequences[0], sequences[-1]} if len(one) > 1)]
        gaps = (
            [packing_gap_nats(self.network, read, group) for group in groups] if decoder.prepare() else [float("inf")]
        )
        wrong = [gap for gap in gaps if not gap <= tolerance_nats]
        if wrong:
            self._decoder = None
            kind = type(self.network).__name__
            _LOG.warning("%s: by hand it is %.2g nats off; transformers' own layers compute it", kind, wrong[0])
