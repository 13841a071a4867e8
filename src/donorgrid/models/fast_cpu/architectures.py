"""Where each architecture keeps the modules of a decoder layer: the only file that knows transformers' attribute names.

A new architecture gets a function that returns its ``LayerModules``, and an entry in ``_ARCHITECTURES``.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from donorgrid.models.fast_cpu.activations import GATED_ACTIVATIONS, GatedActivation
from donorgrid.models.fast_cpu.attention import HeadLayout


@dataclass(frozen=True, kw_only=True)
class LinearModule:
    """A linear module, the module that it is an attribute of, and its path from the layer (``mlp.down_proj``)."""

    module: Any
    owner: Any
    path: str

    @property
    def is_plain(self) -> bool:
        """True if it is torch's own ``Linear``: not quantised, and not one of PEFT's layers."""
        return type(self.module) is torch.nn.Linear

    @property
    def is_untouched(self) -> bool:
        """True if nothing has replaced the module or hooked into it."""
        current = getattr(self.owner, self.path.rpartition(".")[2])
        return current is self.module and not (self.module._forward_hooks or self.module._forward_pre_hooks)


@dataclass(frozen=True, kw_only=True)
class NormModule:
    """An RMS norm module.

    Attributes
    ----------
    module
        The module, whose ``weight`` may change in place.
    eps
        Added to the mean square.
    weight_offset
        Added to the weight: 1 in Gemma's norms.
    """

    module: Any
    eps: float
    weight_offset: float = 0.0

    @property
    def weight(self) -> torch.Tensor:
        """The factor of each column, ``(width,)``, float32, without gradient."""
        weight: torch.Tensor = self.module.weight.detach().float()
        return weight + self.weight_offset if self.weight_offset else weight


@dataclass(frozen=True, kw_only=True)
class LayerModules:
    """The modules of one decoder layer of the Llama or the Gemma kind.

    Attributes
    ----------
    qkv
        Query, key and value projection in this order, or a single module whose output is the three side by side.
    output
        The output projection of attention.
    gate_up
        Gate and up projection in this order, or a single module whose output is the two side by side.
    down
        The down projection.
    input_norm, mlp_input_norm
        The RMS norms before attention and before the MLP.
    attention_output_norm, mlp_output_norm
        The RMS norms of what is added to the residual stream, or None.
    head_norms
        The RMS norms of single query heads and single key heads, or nothing.
    activation
        The gated activation of the MLP.
    heads
        The layout of the heads.
    """

    qkv: tuple[LinearModule, ...]
    output: LinearModule
    gate_up: tuple[LinearModule, ...]
    down: LinearModule
    input_norm: NormModule
    mlp_input_norm: NormModule
    attention_output_norm: NormModule | None = None
    mlp_output_norm: NormModule | None = None
    head_norms: tuple[NormModule, ...]
    activation: GatedActivation
    heads: HeadLayout

    @property
    def linear_modules(self) -> tuple[LinearModule, ...]:
        """All linear modules."""
        return (*self.qkv, self.output, *self.gate_up, self.down)


def find_layer_modules(layer: Any) -> LayerModules | None:
    """Returns the modules of a transformers decoder layer, or None if the layer is not of a known kind.

    Known are the classes in ``_ARCHITECTURES``, with plain linear modules and an activation of ``GATED_ACTIVATIONS``.
    """
    find = _ARCHITECTURES.get(type(layer).__name__)
    if find is None or type(layer.mlp.act_fn).__name__ not in GATED_ACTIVATIONS:
        return None
    modules = find(layer)
    is_known = modules is not None and all(linear.is_plain for linear in modules.linear_modules)
    return modules if is_known else None


def _llama(layer: Any) -> LayerModules:
    return LayerModules(
        input_norm=_llama_norm(layer.input_layernorm),
        mlp_input_norm=_llama_norm(layer.post_attention_layernorm),
        head_norms=tuple(
            _llama_norm(getattr(layer.self_attn, name))
            for name in ("q_norm", "k_norm")
            if hasattr(layer.self_attn, name)
        ),
        **_attention_and_mlp(layer),
    )


def _gemma3(layer: Any) -> LayerModules | None:
    """Four norms with ``1 + weight``. None for caps of attention scores and attention in both directions."""
    attention = layer.self_attn
    if attention.attn_logit_softcapping is not None or not attention.is_causal:
        return None
    return LayerModules(
        input_norm=_gemma_norm(layer.input_layernorm),
        mlp_input_norm=_gemma_norm(layer.pre_feedforward_layernorm),
        attention_output_norm=_gemma_norm(layer.post_attention_layernorm),
        mlp_output_norm=_gemma_norm(layer.post_feedforward_layernorm),
        head_norms=(_gemma_norm(attention.q_norm), _gemma_norm(attention.k_norm)),
        **_attention_and_mlp(layer),
    )


def _llama_norm(norm: Any) -> NormModule:
    return NormModule(module=norm, eps=norm.variance_epsilon)


def _gemma_norm(norm: Any) -> NormModule:
    return NormModule(module=norm, eps=norm.eps, weight_offset=1.0)


def _attention_and_mlp(layer: Any) -> dict[str, Any]:
    """The fields of ``LayerModules`` that all known architectures name alike."""
    attention, mlp = layer.self_attn, layer.mlp
    return {
        "qkv": _linear(attention, "self_attn", ("q_proj", "k_proj", "v_proj")),
        "output": _linear(attention, "self_attn", ("o_proj",))[0],
        "gate_up": _linear(mlp, "mlp", ("gate_proj", "up_proj")),
        "down": _linear(mlp, "mlp", ("down_proj",))[0],
        "activation": GATED_ACTIVATIONS[type(mlp.act_fn).__name__],
        "heads": HeadLayout(
            n_query_heads=attention.q_proj.out_features // attention.head_dim,
            n_kv_heads=attention.k_proj.out_features // attention.head_dim,
            head_dim=attention.head_dim,
            scaling=attention.scaling,
        ),
    }


def _linear(owner: Any, path: str, names: Sequence[str]) -> tuple[LinearModule, ...]:
    return tuple(LinearModule(module=getattr(owner, name), owner=owner, path=f"{path}.{name}") for name in names)


_ARCHITECTURES: dict[str, Callable[[Any], LayerModules | None]] = {
    "LlamaDecoderLayer": _llama,
    "MistralDecoderLayer": _llama,
    "Qwen2DecoderLayer": _llama,  # with biases of query, key and value
    "Qwen3DecoderLayer": _llama,  # with norms of heads
    "Gemma3DecoderLayer": _gemma3,
}
"""By the class name of the decoder layer, the function that finds its modules."""
