"""The modules of decoder layers, by the attribute names of each architecture."""

from typing import Any

import pytest
import torch
from transformers import (
    Gemma3TextConfig,
    GemmaConfig,
    LlamaConfig,
    MistralConfig,
    PretrainedConfig,
    Qwen2Config,
    Qwen3Config,
)
from transformers.models.gemma.modeling_gemma import GemmaDecoderLayer
from transformers.models.gemma3.modeling_gemma3 import Gemma3DecoderLayer
from transformers.models.llama.modeling_llama import LlamaDecoderLayer
from transformers.models.mistral.modeling_mistral import MistralDecoderLayer
from transformers.models.qwen2.modeling_qwen2 import Qwen2DecoderLayer
from transformers.models.qwen3.modeling_qwen3 import Qwen3DecoderLayer

from donorgrid.models.fast_cpu.architectures import find_layer_modules

SIZES = {
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 8,
    "num_hidden_layers": 1,
}


def layer_of(layer_class: type[torch.nn.Module], config_class: type[PretrainedConfig], **changes: Any) -> Any:
    config = config_class(**{**SIZES, **changes})
    config._attn_implementation = "sdpa"
    return layer_class(config, 0)


def llama_layer(**changes: Any) -> Any:
    return layer_of(LlamaDecoderLayer, LlamaConfig, **changes)


@pytest.mark.parametrize(
    ("layer_class", "config_class", "n_head_norms"),
    [
        (LlamaDecoderLayer, LlamaConfig, 0),
        (MistralDecoderLayer, MistralConfig, 0),
        (Qwen2DecoderLayer, Qwen2Config, 0),
        (Qwen3DecoderLayer, Qwen3Config, 2),
        (Gemma3DecoderLayer, Gemma3TextConfig, 2),
    ],
)
def test_known_layers(layer_class: Any, config_class: Any, n_head_norms: int) -> None:
    layer = layer_of(layer_class, config_class)
    modules = find_layer_modules(layer)
    assert modules is not None
    paths = [linear.path for linear in modules.linear_modules]
    assert paths == [
        *("self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj", "self_attn.o_proj"),
        *("mlp.gate_proj", "mlp.up_proj", "mlp.down_proj"),
    ]
    assert [linear.module for linear in modules.linear_modules] == [layer.get_submodule(path) for path in paths]
    assert len(modules.head_norms) == n_head_norms
    assert (modules.heads.n_query_heads, modules.heads.n_kv_heads, modules.heads.head_dim) == (4, 2, 8)
    assert modules.heads.scaling == pytest.approx(256**-0.5 if config_class is Gemma3TextConfig else 8**-0.5)


def test_unknown_class_of_layers() -> None:
    assert find_layer_modules(layer_of(GemmaDecoderLayer, GemmaConfig)) is None


@pytest.mark.parametrize("change", [{"attn_logit_softcapping": 50.0}, {"use_bidirectional_attention": True}])
def test_gemma3_with_another_attention_is_unknown(change: dict[str, Any]) -> None:
    assert find_layer_modules(layer_of(Gemma3DecoderLayer, Gemma3TextConfig)) is not None
    assert find_layer_modules(layer_of(Gemma3DecoderLayer, Gemma3TextConfig, **change)) is None


def test_unknown_activation() -> None:
    assert find_layer_modules(llama_layer(hidden_act="gelu")) is None


def test_unknown_class_of_linear_modules() -> None:
    class Quantised(torch.nn.Linear):
        pass

    layer = llama_layer()
    layer.mlp.up_proj = Quantised(32, 48, bias=False)
    assert find_layer_modules(layer) is None


def test_replaced_and_hooked_modules_are_not_untouched() -> None:
    layer = llama_layer()
    modules = find_layer_modules(layer)
    assert modules is not None
    assert all(linear.is_untouched for linear in modules.linear_modules)
    layer.mlp.down_proj = torch.nn.Linear(48, 32)
    layer.self_attn.q_proj.register_forward_pre_hook(lambda *_: None)
    touched = [linear.path for linear in modules.linear_modules if not linear.is_untouched]
    assert touched == ["self_attn.q_proj", "mlp.down_proj"]
