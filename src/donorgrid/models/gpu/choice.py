"""Which way a network is read: every allowed way is checked, and a trial takes the fastest that agrees."""

import logging
import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor

from donorgrid.models.gpu.trial import embedding_gradient, fastest, relative_gap, trial_batch
from donorgrid.models.gpu.ways import DenseMasks, Way, WayName, make_way
from donorgrid.models.masks import MaskForm, packing_gap_nats
from donorgrid.models.rows import RowBatch, Tokens

_LOG = logging.getLogger("donorgrid")
_READING_TOKENS, _TRAINING_TOKENS = 16384, 4096
# Smaller batches are read with square masks: they are small, and FlexAttention has other kernels for few queries.
_FEWEST_TOKENS = 1024
_LARGEST_GRADIENT_GAP = {torch.float32: 1e-3, torch.bfloat16: 5e-2}


class WayChoice:
    """Checks the ways in which a network may be read, and chooses one for reading and one for training.

    ``check`` must be called before each first use. A way that is off, or that cannot compute here, is left out with
    a warning. The choice is made once: an adapter is always read in the same way as its base.

    Parameters
    ----------
    network
        A transformers causal language model.
    names
        The allowed ways. With a single one there is no trial.
    """

    def __init__(self, network: Any, names: tuple[WayName, ...]) -> None:
        self._network = network
        self._names = names
        self._dense: Way = DenseMasks(network, None)
        self._checked: list[Way] = []
        self._sequences: Sequence[Tokens] = ()
        self._chosen: dict[str, Way] = {}

    def check(
        self, form: MaskForm | None, compared: Sequence[Tokens], sequences: Sequence[Tokens], tolerance_nats: float
    ) -> None:
        """Compares every way with single sequences.

        Parameters
        ----------
        form
            The form of mask that the network understands; None: rows are single sequences, and nothing is chosen.
        compared
            A few sequences to compare.
        sequences
            All that will be read; trials are made of them.
        tolerance_nats
            The largest mean gap that is allowed, nats per token.
        """
        self._dense = DenseMasks(self._network, form)
        self._sequences = sequences
        ways = [make_way(name, self._network, form) for name in self._names if name != self._dense.name] if form else []
        agreeing = [way for way in ways if self._agrees(way, compared, tolerance_nats)]
        self._checked = [self._dense] if "dense masks" in self._names or not agreeing else []
        self._checked += agreeing
        still = {way.name: way for way in self._checked}
        self._chosen = {use: still[way.name] for use, way in self._chosen.items() if way.name in still}

    def for_reading(self, batch: RowBatch) -> Way:
        """The way to read a batch without gradients, in a network without hooks."""
        if not self._others or not self._is_large(batch):
            return self._dense
        if "reading" not in self._chosen:
            self._choose("reading", self._choose_for_reading)
        return self._chosen["reading"]

    def for_training(self, batch: RowBatch) -> Way:
        """The way to read a batch in training; modules may have hooks, and gradients flow."""
        return self._chosen.get("training", self._dense) if self._is_large(batch) else self._dense

    def prepare_training(self) -> None:
        """Chooses the way to train, unless it is chosen. No module may have hooks yet that count tokens."""
        if self._others and "training" not in self._chosen:
            self._choose("training", self._choose_for_training)

    @property
    def chosen(self) -> dict[str, WayName]:
        """The way that was chosen for "reading" and for "training", as far as they were used."""
        return {use: way.name for use, way in self._chosen.items()}

    @property
    def _others(self) -> list[Way]:
        return [way for way in self._checked if way is not self._dense]

    def _is_large(self, batch: RowBatch) -> bool:
        return batch.input_ids.numel() >= _FEWEST_TOKENS

    def _choose(self, use: str, choose: Callable[[], Way]) -> None:
        try:
            self._chosen[use] = choose()
        except RuntimeError as error:  # too little memory, or a kernel that cannot be built
            self._warn(f"no trial of ways for {use}, square masks are used", str(error))
            self._chosen[use] = self._dense
        _LOG.info("%s: %s with %s", type(self._network).__name__, use, self._chosen[use].name)

    def _choose_for_reading(self) -> Way:
        if len(self._checked) == 1:
            return self._checked[0]
        batch = trial_batch(self._sequences, n_tokens=_READING_TOKENS)
        indices = torch.arange(batch.input_ids.shape[1])
        with torch.inference_mode():
            return fastest(self._checked, lambda way: way.hidden_states_at(batch, indices), device=self._device)

    def _choose_for_training(self) -> Way:
        """Of the ways whose gradients agree. Compiled layers do not train: adapters are hooks."""
        batch = trial_batch(self._sequences, n_tokens=_TRAINING_TOKENS)
        gradient = partial(embedding_gradient, self._network, batch=batch)
        others = [way for way in self._others if way.trains]
        expected = gradient(self._dense)
        agreeing = [way for way in others if self._has_gradient(way, gradient(way), expected)]
        del expected
        ways = agreeing if self._dense not in self._checked and agreeing else [self._dense, *agreeing]
        return ways[0] if len(ways) == 1 else fastest(ways, gradient, device=self._device)

    def _agrees(self, way: Way, compared: Sequence[Tokens], tolerance_nats: float) -> bool:
        def read(batch: RowBatch) -> Tensor:
            return way.hidden_states_at(batch, torch.arange(batch.input_ids.numel()))

        gap = packing_gap_nats(self._network, read, compared)
        if gap <= tolerance_nats:
            return True
        finding = "it cannot compute here" if math.isinf(gap) else f"it is {gap:.2g} nats off"
        self._warn(f"the way '{way.name}' is left out", finding)
        return False

    def _has_gradient(self, way: Way, gradient: Tensor, expected: Tensor) -> bool:
        gap = relative_gap(gradient, expected)
        if gap <= _LARGEST_GRADIENT_GAP[self._network.dtype]:
            return True
        self._warn(f"the way '{way.name}' does not train", f"its gradients are {gap:.2g} off")
        return False

    def _warn(self, what: str, why: str) -> None:
        _LOG.warning("%s: %s (%s)", type(self._network).__name__, what, (why.splitlines() or ["no reason given"])[0])

    @property
    def _device(self) -> torch.device:
        device: torch.device = self._network.get_input_embeddings().weight.device
        return device
