"""Reads rows of tokens with a resident network: the one interface to transformers' layers and the fast decoder."""

import logging
import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from donorgrid.models.fast_cpu.decoder import FastDecoder, make_fast_decoder
from donorgrid.models.gpu.choice import WayChoice
from donorgrid.models.gpu.ways import WayName
from donorgrid.models.low_rank import LowRankAdapter
from donorgrid.models.masks import MaskCheck, MaskForm, find_mask_form, packing_gap_nats, rounding_gap_nats
from donorgrid.models.rows import RowBatch, Tokens
from donorgrid.models.used_ways import UsedWays

_LOG = logging.getLogger("donorgrid")
# The largest mean difference of packed log-probabilities from single ones, nats per token: rounding and nothing else.
_TOLERANCE_NATS = {torch.float32: 1e-4, torch.bfloat16: 5e-2}
# Or, where a model rounds more: so many times the difference between reading a sequence alone and along with copies.
_ROUNDING_GAPS = 3.0
# The same for the fast decoder. In bf16 it rounds less than transformers' layers, which are up to 0.07 nats off exact
# numbers on real models; a wrong mask or norm is off by more than a nat.
_FAST_TOLERANCE_NATS = {torch.float32: 1e-4, torch.bfloat16: 0.2}
_N_AT_EACH_END = 4


class Reader:
    """Gives the last hidden states of rows of tokens. It answers the same whichever layers compute.

    There are several ways to compute them: transformers' own layers with square masks (``models.masks``), a decoder in
    compiled code for small models on a CPU (``models.fast_cpu``), and faster ways for a GPU (``models.gpu``). Callers
    do not choose.

    *Shapes.* A ``RowBatch`` is (n_rows, length). ``hidden_states`` returns (n_rows, length, hidden_size). The other
    two return (n_indices, hidden_size), for indices into the flattened batch (n_rows * length).

    *Check.* ``check`` must be called before reading, with the sequences that will be read. It reads the shortest and
    the longest of them packed and one by one, and compares the log-probabilities (mean over tokens: 1e-4 nats in
    float32, 5e-2 in bfloat16, and 0.2 for the fast decoder in bfloat16; more for a model that rounds more, as its
    reading of copies shows). It finds the form of attention mask that the model understands. It repeats only when
    longer sequences come.

    *Fallbacks.* If no form of mask passes, ``can_pack`` becomes False, a warning says so, and every row must be one
    sequence from then on. If the fast decoder does not pass, or does not know the network's layers, transformers'
    layers compute. They also compute while a module is wrapped or has hooks (``hidden_states_at``), and for adapters
    that the fast decoder does not support (``supports``).

    Parameters
    ----------
    network
        A transformers causal language model.
    may_use_fast_decoder
        False for a network in which PEFT's modules compute: transformers' layers run them.
    ways
        The ways of ``models.gpu`` that may compute transformers' layers. Of several, a trial chooses the fastest that
        agrees with the first.
    """

    def __init__(
        self, network: Any, *, may_use_fast_decoder: bool = True, ways: tuple[WayName, ...] = ("dense masks",)
    ) -> None:
        self.network = network
        self._choice = WayChoice(network, ways)
        self._may_use_fast_decoder = may_use_fast_decoder
        self._mask_form: MaskForm | None = None
        self._fast_decoder: FastDecoder | None = None
        self._rounding_decoder: FastDecoder | None = None
        self._longest_checked = 0
        self.used_ways = UsedWays()

    @property
    def device(self) -> torch.device:
        """The device of the network."""
        device: torch.device = self.network.get_input_embeddings().weight.device
        return device

    @property
    def can_pack(self) -> bool:
        """Whether a row may hold several sequences; True until a check has failed."""
        return self._longest_checked == 0 or self._mask_form is not None

    @property
    def chosen_ways(self) -> dict[str, WayName]:
        """The way of ``models.gpu`` that was chosen for "reading" and for "training", as far as they were used."""
        return self._choice.chosen

    def check(self, sequences: Sequence[Tokens]) -> None:
        """Compares packed with single sequences, unless sequences of this length were compared before.

        Parameters
        ----------
        sequences
            All that will be read; the shortest and the longest few are compared.
        """
        longest = max(map(len, sequences), default=0)
        if longest <= self._longest_checked or not self.can_pack:
            return
        by_length = sorted(set(sequences), key=lambda sequence: (len(sequence), sequence))
        compared = [*by_length[:_N_AT_EACH_END], *by_length[-_N_AT_EACH_END:]]
        result, tolerance_nats = self._checked_mask_form(compared)
        self._mask_form, self._longest_checked = result.form, longest
        self._fast_decoder = (
            self._checked_fast_decoder(compared, _FAST_TOLERANCE_NATS[self.network.dtype]) if result.form else None
        )
        self._choice.check(result.form, compared, sequences, tolerance_nats)
        if result.form is None:
            _LOG.warning(
                "%s: packed it is %.2g nats off; its sequences are read one by one",
                type(self.network).__name__,
                result.packing_gap_nats,
            )

    def prepare_training(self) -> None:
        """Chooses among the allowed ways the one to train with; before adapters stand in the network as hooks."""
        self._choice.prepare_training()

    def hidden_states(self, batch: RowBatch) -> Tensor:
        """The last hidden states (n_rows, length, hidden_size) of a batch, by transformers' layers."""
        way = self._choice.for_training(batch)
        self.used_ways.note_layers("training", way.name, self.network.dtype)
        return way.hidden_states(batch)

    def hidden_states_at(self, batch: RowBatch, indices: Tensor) -> Tensor:
        """The last hidden states of some tokens, by the fast decoder if it can.

        Parameters
        ----------
        batch
            Rows that ``check`` allowed.
        indices
            Indices into the flattened batch (n_rows * length): (n_indices,).

        Returns
        -------
        Tensor
            (n_indices, hidden_size).
        """
        if self._fast_decoder is not None and self._fast_decoder.prepare():
            self.used_ways.note_fast("reading", in_bf16=self.network.dtype == torch.bfloat16)
            return self._fast_decoder.hidden_states_at(batch, indices)
        way = self._choice.for_reading(batch)
        self.used_ways.note_layers("reading", way.name, self.network.dtype)
        return way.hidden_states_at(batch, indices)

    @property
    def can_round_products(self) -> bool:
        """Whether ``rounded_hidden_states_at`` can read: weights in float32, and a fast decoder that passed."""
        decoder = self._fast_decoder
        return decoder is not None and self.network.dtype == torch.float32 and decoder.prepare()

    def rounded_hidden_states_at(self, batch: RowBatch, indices: Tensor) -> Tensor:
        """The last hidden states of some tokens, with the products of weights in float32 computed in bf16.

        Parameters
        ----------
        batch
            Rows that ``check`` allowed, where ``can_round_products``.
        indices
            Indices into the flattened batch (n_rows * length): (n_indices,).

        Returns
        -------
        Tensor
            (n_indices, hidden_size), float32.

        Raises
        ------
        RuntimeError
            There is no fast decoder.
        """
        if self._rounding_decoder is None:
            self._rounding_decoder = make_fast_decoder(self.network, in_bf16=True)
        if self._rounding_decoder is None or not self._rounding_decoder.prepare():
            raise RuntimeError("the network has no fast decoder")
        self.used_ways.note_fast("reading", in_bf16=True)
        return self._rounding_decoder.hidden_states_at(batch, indices)

    def supports(self, adapter: LowRankAdapter) -> bool:
        """Whether ``adapted_hidden_states_at`` can read with this adapter; padding then costs only attention."""
        decoder = self._fast_decoder
        return decoder is not None and decoder.prepare() and decoder.supports(adapter)

    def adapted_hidden_states_at(self, batch: RowBatch, indices: Tensor, adapter: LowRankAdapter) -> Tensor:
        """The last hidden states of some tokens, by the fast decoder with an adapter beside the weights.

        Parameters
        ----------
        batch
            Rows that ``check`` allowed.
        indices
            Indices into the flattened batch (n_rows * length): (n_indices,).
        adapter
            One that ``supports`` allows. Gradients flow to its ``values``.

        Returns
        -------
        Tensor
            (n_indices, hidden_size).

        Raises
        ------
        RuntimeError
            There is no fast decoder.
        """
        if self._fast_decoder is None:
            raise RuntimeError("the network has no fast decoder")
        self.used_ways.note_fast("training", in_bf16=self.network.dtype == torch.bfloat16)
        return self._fast_decoder.hidden_states_at(batch, indices, adapter)

    def _checked_mask_form(self, sequences: Sequence[Tokens]) -> tuple[MaskCheck, float]:
        """The form of mask that the network understands, and the tolerance (nats) with which it was accepted."""
        tolerance_nats = _TOLERANCE_NATS[self.network.dtype]
        result = find_mask_form(self.network, sequences, tolerance_nats=tolerance_nats)
        if result.form is None and math.isfinite(result.packing_gap_nats):
            tolerance_nats = max(tolerance_nats, _ROUNDING_GAPS * rounding_gap_nats(self.network, sequences))
            result = find_mask_form(self.network, sequences, tolerance_nats=tolerance_nats)
        return result, tolerance_nats

    def _checked_fast_decoder(self, sequences: Sequence[Tokens], tolerance_nats: float) -> FastDecoder | None:
        """The fast decoder of the network, if there is one and it agrees with transformers' layers."""
        decoder = make_fast_decoder(self.network) if self._may_use_fast_decoder else None
        if decoder is None:
            return None
        kind = type(self.network).__name__

        def read(batch: RowBatch) -> Tensor:
            return decoder.hidden_states_at(batch, torch.arange(batch.input_ids.numel()))

        if not decoder.prepare():
            _LOG.warning(
                "%s: modules are hooked or replaced; transformers' own layers compute it", type(self.network).__name__
            )
            return None
        # Together the sequences make a long row; alone, the shortest and the longest make rows of other sizes.
        ends = {sequences[0], sequences[-1]}
        groups = [sequences, *([sequence] for sequence in ends if len(sequence) > 1)]
        gaps = [packing_gap_nats(self.network, read, group) for group in groups]
        wrong = [gap for gap in gaps if not gap <= tolerance_nats]  # NaN is wrong too
        if not wrong:
            return decoder
        finding = "cannot read it" if math.isinf(wrong[0]) else f"is {wrong[0]:.2g} nats off"
        _LOG.warning("%s: the fast decoder %s; transformers' own layers compute it", kind, finding)
        return None
