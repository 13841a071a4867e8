"""A decoder computed by hand: transformers' layers of the Llama kind, without what they spend on being general.

Tokens lie flat, so that no product reads fillers; products that read the same input are one; sums happen in place; the
last layer computes only the tokens whose hidden state is wanted; and the only gradients are those of the adapter. It is
for float32 on a CPU, where much of a small model's step is spent between the products. ``models.reader`` uses it only
after it has seen it give what transformers' own layers give.
"""

from typing import Any

import torch
from torch import Tensor

from donorgrid.models.fast_cpu.attention import Rows
from donorgrid.models.fast_cpu.elementwise import Rotary
from donorgrid.models.fast_cpu.layers import Around, Layer, LayerPass
from donorgrid.models.low_rank import LowRankAdapter
from donorgrid.models.rows import RowBatch


def make_fast_decoder(network: Any) -> "FastDecoder | None":
    """The network's decoder by hand, or None for a network that is not computed here."""
    layers = getattr(network.get_decoder(), "layers", ())
    weight = network.get_input_embeddings().weight
    fits = (weight.dtype, weight.device.type) == (torch.float32, "cpu") and len(layers) > 0
    return FastDecoder(network) if fits and all(map(Layer.supports, layers)) else None


class FastDecoder:
    """The layers of a resident network."""

    def __init__(self, network: Any) -> None:
        self._module = network.get_decoder()
        self._embedding = network.get_input_embeddings()
        config = network.config.get_text_config()
        prefix = next(name for name, module in network.named_modules() if module is self._module)
        self._layers = [
            Layer(
                module,
                name=f"{prefix}.layers.{number}",
                window=_window(config, number),
                is_last=number == len(self._module.layers) - 1,
            )
            for number, module in enumerate(self._module.layers)
        ]

    def prepare(self) -> bool:
        """Whether nothing is wrapped around or hooked on the products, so that these layers are all there is."""
        return all(layer.prepare() for layer in self._layers)

    def supports(self, adapter: LowRankAdapter) -> bool:
        """Whether all that the adapter changes is computed here."""
        groups = [names for layer in self._layers for names in layer.names_together]
        known = {name for names in groups for name in names}
        return known.issuperset(adapter.shapes) and adapter.lie_together(groups)

    def hidden_states_at(self, batch: RowBatch, places: Tensor, adapter: LowRankAdapter | None = None) -> Tensor:
        """The last hidden states (n, width) at flat places of a batch (rows x length), read with an adapter or without.

        Where gradients are on, those of the adapter's values can be taken.
        """
        rows = Rows(batch)
        with torch.no_grad():
            start = self._embedding(rows.flat(batch.input_ids))
        around = Around(
            rows=rows,
            rotary=self._rotary(start, rows.flat(batch.position_ids)),
            adapter=adapter,
            wanted=places if rows.tokens is None else rows.tokens[places],
        )
        if adapter is None or not torch.is_grad_enabled():
            with torch.no_grad():
                hidden = self.forward(start, around, remember=False)[0]
        else:
            hidden = _Walk.apply(self, start, around, adapter.values)  # type: ignore[no-untyped-call]
        normed: Tensor = self._module.norm(hidden)
        return normed

    def forward(self, start: Tensor, around: Around, *, remember: bool) -> tuple[Tensor, list[LayerPass]]:
        """Through all layers, and the passes that remember the way. Without remembering, ``start`` is overwritten."""
        passes = [LayerPass(layer, around, remember=remember) for layer in self._layers]
        hidden = start
        for one in passes:
            hidden = one.forward(hidden)
        return hidden, passes

    def _rotary(self, start: Tensor, position_ids: Tensor) -> Rotary:
        cosines, sines = self._module.rotary_emb(start, position_ids[None])
        heads = self._layers[0].heads
        return Rotary(cosines[0], sines[0], n_heads=heads.n + heads.n_shared)


class _Walk(torch.autograd.Function):
    """All layers as one function of the adapter's values."""

    @staticmethod
    def forward(ctx: Any, decoder: FastDecoder, start: Tensor, around: Around, _: Tensor) -> Tensor:
        hidden, ctx.passes = decoder.forward(start, around, remember=True)
        ctx.adapter = around.adapter
        return hidden

    @staticmethod
    def backward(ctx: Any, *of_hidden: Tensor) -> tuple[Tensor | None, ...]:
        of_values = torch.empty_like(ctx.adapter.values)
        gradients = ctx.adapter.like(of_values)
        gradient: Tensor | None = of_hidden[0].clone()
        for number, one in reversed(list(enumerate(ctx.passes))):
            if gradient is not None:
                gradient = one.backward(gradient, gradients, wants_dx=number > 0)
        return None, None, None, of_values


def _window(config: Any, number: int) -> int | None:
    """The sliding window of a layer, by the keys of transformers' configurations."""
    types = getattr(config, "layer_types", None)
    is_windowed = types[number] == "sliding_attention" if types else getattr(config, "use_sliding_window", True)
    return getattr(config, "sliding_window", None) if is_windowed else None
