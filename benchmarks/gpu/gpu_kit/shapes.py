"""Shapes of real models; their weights are random, made on the device."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForCausalLM, Gemma3TextConfig, LlamaConfig, Qwen2Config

from donorgrid.models.folders import ModelFolder
from donorgrid.models.gpu.ways import WayName
from donorgrid.models.loading import Base
from donorgrid.models.reader import Reader

_SPECIAL = {"bos_token_id": 0, "eos_token_id": 1, "pad_token_id": 2}
_TINY = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4}
_TINY |= {"vocab_size": 400, "max_position_embeddings": 2048}


@dataclass(frozen=True, kw_only=True)
class Shape:
    """A model's shape: the class of its configuration, and its keys."""

    name: str
    config: type
    keys: dict[str, Any]
    adds_bos: bool = True


def _llama(name: str, hidden: int, inner: int, layers: int, heads: int, *, tied: bool) -> Shape:
    keys = {"hidden_size": hidden, "intermediate_size": inner, "num_hidden_layers": layers}
    keys |= {"num_attention_heads": heads, "num_key_value_heads": 8, "vocab_size": 128256}
    keys |= {"max_position_embeddings": 8192, "tie_word_embeddings": tied, "rope_theta": 500000.0}
    return Shape(name=name, config=LlamaConfig, keys=keys)


SHAPES = {
    shape.name: shape
    for shape in (
        Shape(
            name="qwen2.5-0.5b",
            config=Qwen2Config,
            keys={
                **{"hidden_size": 896, "intermediate_size": 4864, "num_hidden_layers": 24, "num_attention_heads": 14},
                **{"num_key_value_heads": 2, "vocab_size": 151936, "max_position_embeddings": 8192},
                **{"tie_word_embeddings": True, "rope_theta": 1000000.0},
            },
            adds_bos=False,
        ),
        _llama("llama-3.2-1b", 2048, 8192, 16, 32, tied=True),
        Shape(
            name="gemma-3-1b",
            config=Gemma3TextConfig,
            keys={
                **{"hidden_size": 1152, "intermediate_size": 6912, "num_hidden_layers": 26, "num_attention_heads": 4},
                **{"num_key_value_heads": 1, "head_dim": 256, "vocab_size": 262144, "max_position_embeddings": 8192},
                **{"sliding_window": 512},
            },
        ),
        _llama("llama-3.2-3b", 3072, 8192, 28, 24, tied=True),
        _llama("llama-3.1-8b", 4096, 14336, 32, 32, tied=False),
    )
}


def tiny(shape: Shape) -> Shape:
    """The same architecture, small enough for a test on a CPU."""
    keys = {**shape.keys, **_TINY, "num_key_value_heads": 2}
    if "head_dim" in keys:
        keys |= {"head_dim": 16, "sliding_window": 16}
    return Shape(name=shape.name, config=shape.config, keys=keys, adds_bos=shape.adds_bos)


def make_network(shape: Shape, *, dtype: torch.dtype, device: str, seed: int = 0) -> Any:
    """A frozen network with random weights, twice as wide as a fresh model's so that it prefers options."""
    torch.manual_seed(seed)
    config = shape.config(**shape.keys, **_SPECIAL)
    with torch.device(device):
        network = AutoModelForCausalLM.from_config(config, dtype=dtype, attn_implementation="sdpa")
    network.requires_grad_(False).eval()
    with torch.no_grad():
        for parameter in network.parameters():
            if parameter.dim() > 1:
                parameter.mul_(2.0)
    return network.to(device)


def make_base(network: Any, *ways: WayName) -> Base:
    """A base as donorgrid holds it, read in some ways."""
    folder = ModelFolder(
        path=Path("random-weights"),
        weights_digest="",
        tokenizer_digest="",
        n_parameters=0,
        model_type=network.config.model_type,
        max_positions=network.config.max_position_embeddings,
    )
    reader = Reader(network, may_use_fast_decoder=False, ways=ways or ("dense masks",))
    return Base(network=network, tokenizer=None, folder=folder, reader=reader)


def n_layer_weights(network: Any) -> int:
    """The weights of the layers: what every token is multiplied with, twice as many operations as weights."""
    return sum(parameter.numel() for parameter in network.get_decoder().layers.parameters() if parameter.dim() > 1)
