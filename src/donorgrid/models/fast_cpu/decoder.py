"""All decoder layers of a network, for batches of token rows, with or without one low-rank adapter.

``models.reader`` uses it only after it has compared it with transformers' own layers.
"""

from typing import Any

import torch
from torch import Tensor

from donorgrid.models.fast_cpu.architectures import LayerModules, find_layer_modules
from donorgrid.models.fast_cpu.layers import BatchContext, FastLayer, LayerPass
from donorgrid.models.fast_cpu.rotary import Rotary
from donorgrid.models.fast_cpu.unpadded_rows import UnpaddedRows
from donorgrid.models.low_rank import LowRankAdapter
from donorgrid.models.rows import RowBatch


def make_fast_decoder(network: Any, *, in_bf16: bool = False) -> "FastDecoder | None":
    """Returns a fast decoder for a causal language model of transformers.

    Parameters
    ----------
    network
        The model.
    in_bf16
        Whether products with weights in float32 are computed in bf16. With weights in bf16 they always are.

    Returns
    -------
    None unless the weights are float32 or bf16 on a CPU and all layers are of a known kind (``architectures``)
    """
    weight = network.get_input_embeddings().weight
    if weight.dtype not in (torch.float32, torch.bfloat16) or weight.device.type != "cpu":
        return None
    modules_by_layer = []
    for layer in getattr(network.get_decoder(), "layers", ()):
        modules = find_layer_modules(layer)
        if modules is None:
            return None
        modules_by_layer.append(modules)
    in_bf16 |= weight.dtype == torch.bfloat16
    return FastDecoder(network, modules_by_layer, in_bf16=in_bf16) if modules_by_layer else None


class FastDecoder:
    """The embedding, the decoder layers and the last norm of a network. It shares the network's weights."""

    def __init__(self, network: Any, modules_by_layer: list[LayerModules], *, in_bf16: bool) -> None:
        self._module = network.get_decoder()
        self._embedding = network.get_input_embeddings()
        config = network.config.get_text_config()
        decoder_name = next(name for name, module in network.named_modules() if module is self._module)
        last = len(modules_by_layer) - 1
        self._layers = [
            FastLayer(
                modules,
                name=f"{decoder_name}.layers.{number}",
                window=_sliding_window(config, number),
                rotary_type=_rotary_type(self._module, config, number),
                is_last=number == last,
                in_bf16=in_bf16,
            )
            for number, modules in enumerate(modules_by_layer)
        ]

    def prepare(self) -> bool:
        """Takes over weights that were replaced. False if a linear module was replaced or hooked: use transformers.

        It is called before each batch. Weights that were changed in place need nothing.
        """
        return all(layer.prepare() for layer in self._layers)

    def supports(self, adapter: LowRankAdapter) -> bool:
        """True if the adapter changes only modules that are computed here, in the order of the products."""
        groups = [names for layer in self._layers for names in layer.names_by_product]
        known_names = {name for names in groups for name in names}
        return known_names.issuperset(adapter.shapes) and adapter.is_adjacent_in(groups)

    def hidden_states_at(self, batch: RowBatch, indices: Tensor, adapter: LowRankAdapter | None = None) -> Tensor:
        """Computes the last hidden states, after the last norm, where they are needed.

        Parameters
        ----------
        batch
            Token rows on the CPU.
        indices
            Indices into the flattened batch (row * padded_length + column), in any order, never of padding.
        adapter
            The active adapter, which ``supports`` has accepted. If torch records gradients, those of its values are
            recorded.

        Returns
        -------
        Tensor of shape ``(len(indices), hidden_size)``, float32
        """
        rows = UnpaddedRows(batch)
        with torch.no_grad():
            embedded = self._embedding(rows.unpad(batch.input_ids)).float()
        context = BatchContext(
            rows=rows,
            rotary=self._rotary(embedded, rows.unpad(batch.position_ids)),
            adapter=adapter,
            output_indices=indices if rows.flat_indices is None else rows.flat_indices[indices],
        )
        if adapter is None or not torch.is_grad_enabled():
            with torch.no_grad():
                hidden = self.run_layers(embedded, context, save_for_backward=False)[0]
        else:
            hidden = _DecoderFunction.apply(self, embedded, context, adapter.values)  # type: ignore[no-untyped-call]
        normed: Tensor = self._module.norm(hidden)
        return normed

    def run_layers(
        self, embedded: Tensor, context: BatchContext, *, save_for_backward: bool
    ) -> tuple[Tensor, list[LayerPass]]:
        """Runs all layers on a batch.

        Parameters
        ----------
        embedded
            The embeddings of the flat tokens, ``(n_tokens, hidden_size)``; overwritten unless ``save_for_backward``.
        context
            The batch.
        save_for_backward
            Whether the passes save what their ``backward`` needs.

        Returns
        -------
        The hidden states at the context's output indices, before the last norm, and the pass of each layer
        """
        passes = [LayerPass(layer, context, save_for_backward=save_for_backward) for layer in self._layers]
        hidden = embedded
        for layer_pass in passes:
            hidden = layer_pass.forward(hidden)
        return hidden, passes

    def _rotary(self, embedded: Tensor, position_ids: Tensor) -> dict[str | None, Rotary]:
        heads = self._layers[0].modules.heads
        rotary = {}
        for rotary_type in {layer.rotary_type for layer in self._layers}:
            arguments = () if rotary_type is None else (rotary_type,)
            cosines, sines = self._module.rotary_emb(embedded, position_ids[None], *arguments)
            rotary[rotary_type] = Rotary(cosines[0], sines[0], n_heads=heads.n_query_heads + heads.n_kv_heads)
        return rotary


class _DecoderFunction(torch.autograd.Function):
    """All layers as one function of the adapter's values, for autograd."""

    @staticmethod
    def forward(ctx: Any, decoder: FastDecoder, embedded: Tensor, context: BatchContext, _: Tensor) -> Tensor:
        hidden, ctx.passes = decoder.run_layers(embedded, context, save_for_backward=True)
        ctx.adapter = context.adapter
        return hidden

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Tensor) -> tuple[Tensor | None, ...]:
        grad_values = torch.empty_like(ctx.adapter.values)
        gradients = ctx.adapter.with_values(grad_values)
        grad_hidden: Tensor | None = grad_outputs[0].clone()
        for number, layer_pass in reversed(list(enumerate(ctx.passes))):
            if grad_hidden is not None:
                grad_hidden = layer_pass.backward(grad_hidden, gradients, needs_grad_x=number > 0)
        return None, None, None, grad_values


def _sliding_window(config: Any, layer_number: int) -> int | None:
    """The sliding window of a layer in positions, by the keys of transformers' configurations."""
    types = getattr(config, "layer_types", None)
    has_window = types[layer_number] == "sliding_attention" if types else getattr(config, "use_sliding_window", True)
    return getattr(config, "sliding_window", None) if has_window else None


def _rotary_type(module: Any, config: Any, layer_number: int) -> str | None:
    """The layer's type where rotary embeddings differ by it, as in Gemma 3."""
    return config.layer_types[layer_number] if hasattr(module.rotary_emb, "layer_types") else None
