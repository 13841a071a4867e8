"""One decoder layer of the Llama kind by hand: forward, and the gradients of an adapter on its products."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch
from torch import Tensor

from donorgrid.models.fast_cpu.attention import Attention, Heads, Rows
from donorgrid.models.fast_cpu.elementwise import (
    Rotary,
    gated,
    gated_backward,
    norm_heads,
    norm_heads_backward,
    rms_norm,
    rms_norm_backward,
)
from donorgrid.models.fast_cpu.linear import Product
from donorgrid.models.fast_cpu.projections import LastLayerQKVProjection, QKVProjection
from donorgrid.models.low_rank import LowRankAdapter

_KINDS = {"LlamaDecoderLayer", "MistralDecoderLayer", "Qwen2DecoderLayer", "Qwen3DecoderLayer"}
_OF_ATTENTION = ("q_proj", "k_proj", "v_proj", "o_proj")
_OF_UNITS = ("gate_proj", "up_proj", "down_proj")
# What is one product: modules that read the same.
_QKV, _OUTPUT, _GATE_UP, _DOWN = slice(3), slice(3, 4), slice(4, 6), slice(6, 7)


class Layer:
    """What is fixed of a layer: its products, norms and heads, and its attention's ``window`` (None: there is none).

    In the last layer only the tokens that are wanted ask.
    """

    def __init__(self, module: Any, *, name: str, window: int | None, is_last: bool) -> None:
        attention = module.self_attn
        self._parts = _products_of(module)
        linear = [part for _, _, part in self._parts]
        names = [f"{name}.self_attn.{one}" for one in _OF_ATTENTION] + [f"{name}.mlp.{one}" for one in _OF_UNITS]
        self.names_together = [names[part] for part in (_QKV, _OUTPUT, _GATE_UP, _DOWN)]
        self.is_last = is_last
        self.qkv = (LastLayerQKVProjection if is_last else QKVProjection)(names[_QKV], linear[_QKV])
        self.output = Product(names[_OUTPUT], linear[_OUTPUT])
        self.gate_up = Product(names[_GATE_UP], linear[_GATE_UP])
        self.down = Product(names[_DOWN], linear[_DOWN])
        self.norm_before = module.input_layernorm
        self.norm_between = module.post_attention_layernorm
        self.norms_of_heads = [getattr(attention, one) for one in ("q_norm", "k_norm") if hasattr(attention, one)]
        self.window = window
        size = attention.head_dim
        self.heads = Heads(
            n=attention.q_proj.out_features // size,
            n_shared=attention.k_proj.out_features // size,
            size=size,
            scale=attention.scaling,
        )

    @staticmethod
    def supports(module: Any) -> bool:
        """Whether this is a layer of a kind that is computed here: plain linear modules, and SiLU in its units."""
        if type(module).__name__ not in _KINDS or type(module.mlp.act_fn).__name__ not in ("SiLU", "SiLUActivation"):
            return False
        return all(type(part) is torch.nn.Linear for _, _, part in _products_of(module))

    def prepare(self) -> bool:
        """Join weights that were replaced; False where a module is wrapped or has hooks, which would be passed over."""
        plain = all(
            getattr(owner, name) is part and not (part._forward_hooks or part._forward_pre_hooks)
            for owner, name, part in self._parts
        )
        if plain:
            for product in (self.qkv, self.output, self.gate_up, self.down):
                product.prepare()
        return plain


@dataclass(frozen=True, kw_only=True)
class Around:
    """What all layers of a batch share. ``wanted`` are the flat tokens that the last layer shall give."""

    rows: Rows
    rotary: Rotary
    adapter: LowRankAdapter | None
    wanted: Tensor

    @cached_property
    def asking(self) -> Tensor:
        """The wanted tokens in order, each once."""
        asking: Tensor = torch.unique(self.wanted)
        return asking


class LayerPass:
    """One batch on its way through one layer; it remembers what the gradients need, unless told not to."""

    def __init__(self, layer: Layer, around: Around, *, remember: bool) -> None:
        self._layer = layer
        self._around = around
        self._wanted = around.wanted if layer.is_last else None
        self._remember = remember
        self._attention = Attention(layer.heads, around.rows, layer.window, around.asking if layer.is_last else None)
        self._kept: Any = None
        self._before_norms: list[tuple[Any, ...]] = []

    def forward(self, x: Tensor) -> Tensor:
        """Hidden states (tokens, width) -> (tokens, width), of the last layer (wanted tokens, width).

        Without remembering, ``x`` is overwritten.
        """
        layer, adapter, in_place = self._layer, self._around.adapter, not self._remember
        before, inverse_before = _norm(layer.norm_before, x)
        qkv, beside_qkv = layer.qkv.forward(before, self._around.asking, adapter)
        self._turn(qkv)
        seen = self._attention.forward(qkv, remember=self._remember)
        stream = x
        if self._wanted is not None:
            seen, stream = seen[self._wanted], x[self._wanted]
        middle, beside_output = layer.output.forward(seen, adapter, plus=stream, in_place=in_place)
        between, inverse_between = _norm(layer.norm_between, middle)
        both, beside_both = layer.gate_up.forward(between, adapter)
        units = gated(both)
        after, beside_down = layer.down.forward(units, adapter, plus=middle, in_place=in_place)
        if self._remember:
            self._kept = (
                (x, inverse_before, before, beside_qkv),
                (seen, beside_output),
                (middle, inverse_between, between, beside_both),
                (both, units, beside_down),
            )
        return after

    def backward(self, gradient: Tensor, gradients: LowRankAdapter, *, wants_dx: bool) -> Tensor | None:
        """From the gradient of what ``forward`` gave, which is overwritten, to that of what it read.

        The gradients of the adapter's A and B are written into ``gradients``.
        """
        layer = self._layer
        of_reading, of_seen, of_middle, of_units = self._kept
        self._kept = None
        both, units, beside_down = of_units
        d_units = layer.down.backward(gradient, units, beside_down, gradients)
        middle, inverse_between, between, beside_both = of_middle
        d_both = gated_backward(d_units, both)
        d_between = layer.gate_up.backward(d_both, between, beside_both, gradients)
        weight = layer.norm_between.weight
        d_stream = rms_norm_backward(d_between, middle, inverse_between, weight, into=gradient)
        seen, beside_output = of_seen
        d_seen = layer.output.backward(d_stream, seen, beside_output, gradients)
        x, inverse_before, before, beside_qkv = of_reading
        if self._wanted is not None:
            d_stream, d_seen = (_spread(one, self._wanted, len(x)) for one in (d_stream, d_seen))
        d_qkv = self._attention.backward(d_seen)
        self._turn_back(d_qkv)
        d_before = layer.qkv.backward(d_qkv, before, beside_qkv, gradients, wants_dx=wants_dx)
        if d_before is None:
            return None
        return rms_norm_backward(d_before, x, inverse_before, layer.norm_before.weight, into=d_stream)

    def _turn(self, qkv: Tensor) -> None:
        """Norm each head, where the layer does, and turn queries and keys, in place."""
        heads = self._layer.heads
        starts = ((0, heads.n), (heads.n * heads.size, heads.n_shared))
        for norm, (start, n) in zip(self._layer.norms_of_heads, starts, strict=False):
            raw, inverse = norm_heads(qkv, start, n, norm.weight, norm.variance_epsilon)
            self._before_norms.append((start, raw, inverse, norm.weight))
        self._around.rotary.turn(qkv)

    def _turn_back(self, d_qkv: Tensor) -> None:
        self._around.rotary.turn_back(d_qkv)
        for start, raw, inverse, weight in self._before_norms:
            norm_heads_backward(d_qkv, start, raw, inverse, weight)


def _products_of(module: Any) -> list[tuple[Any, str, Any]]:
    """A layer's linear modules with what they are attributes of, and under which names."""
    places = [(module.self_attn, one) for one in _OF_ATTENTION] + [(module.mlp, one) for one in _OF_UNITS]
    return [(owner, name, getattr(owner, name)) for owner, name in places]


def _norm(module: Any, x: Tensor) -> tuple[Tensor, Tensor]:
    return rms_norm(x, module.weight, module.variance_epsilon)


def _spread(gradient: Tensor, places: Tensor, n: int) -> Tensor:
    return gradient.new_zeros(n, gradient.shape[1]).index_add_(0, places, gradient)
