"""The ways to compute the hidden states of a batch on a GPU."""

from typing import Any, Literal, Protocol, get_args

import torch
from torch import Tensor

from donorgrid.models.gpu.block_masks import block_mask
from donorgrid.models.gpu.compiled_layers import CompiledLayers
from donorgrid.models.gpu.flat_rows import FlatRow, flatten_rows
from donorgrid.models.gpu.flex_attention import uses_block_masks
from donorgrid.models.masks import MaskForm, hidden_states, masks_of
from donorgrid.models.rows import RowBatch

WayName = Literal["dense masks", "block masks", "compiled layers"]
"""Square masks; FlexAttention by blocks; the same with compiled layers."""
ALL_WAYS: tuple[WayName, ...] = get_args(WayName)


class Way(Protocol):
    """Computes the hidden states of a batch. ``name`` says how; ``trains`` whether it takes part in training."""

    name: WayName
    trains: bool

    def hidden_states(self, batch: RowBatch) -> Tensor:
        """The last hidden states (n_rows, length, hidden_size); modules may have hooks, and gradients flow."""
        ...

    def hidden_states_at(self, batch: RowBatch, indices: Tensor) -> Tensor:
        """Those at ``indices`` into the flattened batch (n_indices, hidden_size); no module may have hooks."""
        ...


class DenseMasks:
    """The plain way: one square mask for each row and type of layer."""

    name: WayName = "dense masks"
    trains = True

    def __init__(self, network: Any, form: MaskForm | None) -> None:
        self._network = network
        self._form = form

    def hidden_states(self, batch: RowBatch) -> Tensor:
        """The last hidden states (n_rows, length, hidden_size)."""
        return hidden_states(self._network, batch.to(_device(self._network)), self._form)

    def hidden_states_at(self, batch: RowBatch, indices: Tensor) -> Tensor:
        """Those at ``indices`` into the flattened batch: (n_indices, hidden_size)."""
        hidden = self.hidden_states(batch).flatten(0, 1)
        return hidden[indices.to(hidden.device)]


class BlockMasks:
    """The batch as one long row, attention by blocks; blocks that attend to nothing are skipped."""

    name: WayName = "block masks"
    trains = True

    def __init__(self, network: Any, form: MaskForm) -> None:
        self._network = network
        self._form = form

    def hidden_states(self, batch: RowBatch) -> Tensor:
        """The last hidden states (n_rows, length, hidden_size); padding is computed too."""
        return self._read(flatten_rows(batch, drops_padding=False)).view(*batch.input_ids.shape, -1)

    def hidden_states_at(self, batch: RowBatch, indices: Tensor) -> Tensor:
        """Those at ``indices`` into the flattened batch (n_indices, hidden_size); padding is not computed."""
        row = flatten_rows(batch, drops_padding=True)
        hidden = self._read(row)
        return hidden[row.index_of[indices.to(row.index_of.device)].to(hidden.device)]

    def _read(self, row: FlatRow) -> Tensor:
        """The last hidden states (n_tokens, hidden_size) of one long row."""
        row = row.to(_device(self._network))
        masks = masks_of(self._network, self._form, lambda window: block_mask(row, window=window))
        with uses_block_masks(self._network):
            output = self._network.get_decoder()(
                input_ids=row.input_ids[None],
                position_ids=row.position_ids[None],
                attention_mask=masks,
                use_cache=False,
            )
        hidden: Tensor = output.last_hidden_state[0]
        return hidden


class CompiledBlockMasks(BlockMasks):
    """Attention by blocks, in layers that ``torch.compile`` has compiled where no module has hooks."""

    name: WayName = "compiled layers"
    trains = False

    def __init__(self, network: Any, form: MaskForm, *, backend: str = "inductor") -> None:
        super().__init__(network, form)
        self._layers = CompiledLayers(network, backend=backend)

    def hidden_states_at(self, batch: RowBatch, indices: Tensor) -> Tensor:
        """As ``BlockMasks.hidden_states_at``, by compiled layers."""
        with self._layers.active():
            return super().hidden_states_at(batch, indices)


def make_way(name: WayName, network: Any, form: MaskForm) -> Way:
    """A way by its name.

    Parameters
    ----------
    name
        One of ``ALL_WAYS``.
    network
        A transformers causal language model.
    form
        The form of mask that the network understands.

    Returns
    -------
    Way
        Not yet compared with anything.
    """
    makers: dict[WayName, type[DenseMasks | BlockMasks]] = {
        "dense masks": DenseMasks,
        "block masks": BlockMasks,
        "compiled layers": CompiledBlockMasks,
    }
    return makers[name](network, form)


def _device(network: Any) -> torch.device:
    device: torch.device = network.get_input_embeddings().weight.device
    return device
