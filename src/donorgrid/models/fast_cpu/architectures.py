"""Where each architecture keeps the modules of a decoder layer: the only file that knows transformers' attribute names.

A new architecture gets a function that returns its ``LayerModules``, and an entry in ``_ARCHITECTURES``.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from donorgrid.models.fast_cpu.attention import HeadLayout

_SILU = ("SiLU", "SiLUActivation")


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
class LayerModules:
    """The modules of one decoder layer of the Llama kind.

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
    input_norm, post_attention_norm
        The RMS norms before attention and before the MLP.
    head_norms
        The RMS norms of single query heads and single key heads, or nothing.
    activation
        The activation module of the gate.
    heads
        The layout of the heads.
    """

    qkv: tuple[LinearModule, ...]
    output: LinearModule
    gate_up: tuple[LinearModule, ...]
    down: LinearModule
    input_norm: Any
    post_attention_norm: Any
    head_norms: tuple[Any, ...]
    activation: Any
    heads: HeadLayout

    @property
    def linear_modules(self) -> tuple[LinearModule, ...]:
        """All linear modules."""
        return (*self.qkv, self.output, *self.gate_up, self.down)


def find_layer_modules(layer: Any) -> LayerModules | None:
    """Returns the modules of a transformers decoder layer, or None if the layer is not of a known kind.

    Known are the classes in ``_ARCHITECTURES``, with plain linear modules and SiLU as activation.
    """
    find = _ARCHITECTURES.get(type(layer).__name__)
    if find is None:
        return None
    modules = find(layer)
    has_silu = type(modules.activation).__name__ in _SILU
    is_known = has_silu and all(linear.is_plain for linear in modules.linear_modules)
    return modules if is_known else None


def _llama(layer: Any) -> LayerModules:
    attention, mlp = layer.self_attn, layer.mlp
    return LayerModules(
        qkv=_linear(attention, "self_attn", ("q_proj", "k_proj", "v_proj")),
        output=_linear(attention, "self_attn", ("o_proj",))[0],
        gate_up=_linear(mlp, "mlp", ("gate_proj", "up_proj")),
        down=_linear(mlp, "mlp", ("down_proj",))[0],
        input_norm=layer.input_layernorm,
        post_attention_norm=layer.post_attention_layernorm,
        head_norms=tuple(getattr(attention, name) for name in ("q_norm", "k_norm") if hasattr(attention, name)),
        activation=mlp.act_fn,
        heads=HeadLayout(
            n_query_heads=attention.q_proj.out_features // attention.head_dim,
            n_kv_heads=attention.k_proj.out_features // attention.head_dim,
            head_dim=attention.head_dim,
            scaling=attention.scaling,
        ),
    )


def _linear(owner: Any, path: str, names: Sequence[str]) -> tuple[LinearModule, ...]:
    return tuple(LinearModule(module=getattr(owner, name), owner=owner, path=f"{path}.{name}") for name in names)


_ARCHITECTURES: dict[str, Callable[[Any], LayerModules]] = {
    "LlamaDecoderLayer": _llama,
    "MistralDecoderLayer": _llama,
    "Qwen2DecoderLayer": _llama,  # with biases of query, key and value
    "Qwen3DecoderLayer": _llama,  # with norms of heads
}
"""By the class name of the decoder layer, the function that finds its modules."""
