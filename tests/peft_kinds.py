"""Adapters of every kind that PEFT makes, on a tiny base, saved as PEFT saves them by default."""

import copy
import json
import shutil
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from peft import (
    AdaLoraConfig,
    AdaptionPromptConfig,
    BOFTConfig,
    HRAConfig,
    IA3Config,
    LNTuningConfig,
    LoHaConfig,
    LoKrConfig,
    LoraConfig,
    OFTConfig,
    PeftConfig,
    PrefixTuningConfig,
    PromptEncoderConfig,
    PromptTuningConfig,
    TrainableTokensConfig,
    VBLoRAConfig,
    VeraConfig,
    get_peft_model,
)
from safetensors.torch import load_file, save_file
from torch import Tensor
from transformers import AutoModelForCausalLM, AutoTokenizer

_TARGETS = ["q_proj", "v_proj"]
_TASK = "CAUSAL_LM"


def _lora(*more_targets: str, **keys: object) -> LoraConfig:
    keys = {"target_modules": [*_TARGETS, *more_targets], **keys}
    return LoraConfig(r=4, lora_alpha=8, task_type=_TASK, **keys)


MERGED: dict[str, PeftConfig] = {
    "lora": _lora(),
    "all-linear": _lora(target_modules="all-linear"),
    "regex": _lora(target_modules=r".*\.1\..*(q_proj|up_proj)"),
    "some layers": _lora(layers_to_transform=[1]),
    "excluded": _lora(exclude_modules=["layers.0.self_attn.v_proj"]),
    "rslora": _lora(use_rslora=True),
    "patterns": _lora(rank_pattern={"q_proj": 2}, alpha_pattern={"v_proj": 3}),
}
"""LoRA on linear weights alone: a merge is the same."""

UNMERGED: dict[str, PeftConfig] = {
    "embedding": _lora("embed_tokens"),
    "head": _lora("lm_head"),
    "embedding and head": _lora("embed_tokens", "lm_head"),
    "lora bias": _lora(lora_bias=True),
    "saved embedding": _lora(modules_to_save=["embed_tokens"]),
    "saved head": _lora(modules_to_save=["lm_head"]),
    "saved norm": _lora(modules_to_save=["norm"]),
    "some tokens": _lora(trainable_token_indices=[3, 40, 41]),
    "dora": _lora(use_dora=True),
    "pissa": _lora(init_lora_weights="pissa"),
    "more layers": _lora(layer_replication=[[0, 2], [1, 2]]),
    "tokens alone": TrainableTokensConfig(token_indices=[3, 40, 41], target_modules=["embed_tokens"], task_type=_TASK),
    "ia3": IA3Config(target_modules=["k_proj", "down_proj"], feedforward_modules=["down_proj"], task_type=_TASK),
    "vera": VeraConfig(target_modules=["q_proj"], r=4, task_type=_TASK),
    "loha": LoHaConfig(target_modules=_TARGETS, r=4, task_type=_TASK),
    "lokr": LoKrConfig(target_modules=_TARGETS, r=4, task_type=_TASK),
    "oft": OFTConfig(target_modules=_TARGETS, r=0, oft_block_size=4, task_type=_TASK),
    "boft": BOFTConfig(target_modules=_TARGETS, boft_block_size=4, task_type=_TASK),
    "hra": HRAConfig(target_modules=_TARGETS, r=4, task_type=_TASK),
    "vblora": VBLoRAConfig(target_modules=_TARGETS, r=2, num_vectors=8, vector_length=8, task_type=_TASK),
    "adalora": AdaLoraConfig(target_modules=_TARGETS, init_r=4, total_step=10, task_type=_TASK),
    "layer norms": LNTuningConfig(target_modules=["input_layernorm"], task_type=_TASK),
    "attention prompts": AdaptionPromptConfig(adapter_len=4, adapter_layers=1, task_type=_TASK),
}
"""What a merge would change in another way, or cannot express."""

PROMPTS: dict[str, PeftConfig] = {
    "prompt tuning": PromptTuningConfig(num_virtual_tokens=4, task_type=_TASK),
    "prefix tuning": PrefixTuningConfig(num_virtual_tokens=4, task_type=_TASK),
    "p-tuning": PromptEncoderConfig(num_virtual_tokens=4, task_type=_TASK),
}
RESIZED: dict[str, PeftConfig] = {
    "resized": _lora(),
    "resized, saved embedding": _lora(modules_to_save=["embed_tokens"]),
    "resized, saved both": _lora(modules_to_save=["embed_tokens", "lm_head"]),
    "resized, both by LoRA": _lora("embed_tokens", "lm_head"),
}
N_NEW = 8
KINDS = {**MERGED, **UNMERGED, **PROMPTS, **RESIZED}


def make_kind(base: Path, kind: str, folder: Path, *, strength: float = 0.1) -> Path:
    """An adapter of this kind with random values; a resized one lies with its tokenizer."""
    torch.manual_seed(0)
    network = AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32)
    tokenizer = AutoTokenizer.from_pretrained(base)
    if kind in RESIZED:
        tokenizer.add_tokens([f"<new{index}>" for index in range(N_NEW)])
        network.resize_token_embeddings(len(tokenizer), mean_resizing=False)
        tokenizer.save_pretrained(folder)
    return save_random(network, KINDS[kind], folder, strength=strength)


def save_random(
    network: Any, config: PeftConfig, folder: Path, *, strength: float = 0.1, embeddings: bool | str = "auto"
) -> Path:
    """An adapter on a network, with random values."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        adapted = get_peft_model(network, copy.deepcopy(config))
        with torch.no_grad():
            for parameter in adapted.parameters():
                if parameter.requires_grad:
                    parameter.add_(torch.randn_like(parameter) * strength)
        adapted.save_pretrained(folder, save_embedding_layers=embeddings)
    return folder


def rewrite(adapter: Path, folder: Path, change: Callable[[dict[str, Tensor]], dict[str, Tensor]]) -> Path:
    """A copy of an adapter with other tensors."""
    shutil.copytree(adapter, folder)
    file = folder / "adapter_model.safetensors"
    tensors = {name: tensor.clone().contiguous() for name, tensor in change(load_file(file)).items()}
    save_file(tensors, file)
    return folder


def reconfigure(adapter: Path, folder: Path, **changes: object) -> Path:
    """A copy of an adapter with other keys in its configuration."""
    shutil.copytree(adapter, folder)
    file = folder / "adapter_config.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), **changes}))
    return folder
