"""Adapters of every kind that PEFT makes, on a tiny base, saved as PEFT saves them by default."""

import copy
import json
import shutil
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import peft
import torch
from peft import LoraConfig, PeftConfig, get_peft_model
from safetensors.torch import load_file, save_file
from torch import Tensor
from transformers import AutoModelForCausalLM, AutoTokenizer

_TARGETS = ["q_proj", "v_proj"]
_TASK = "CAUSAL_LM"
Make = Callable[[], PeftConfig]


def _lora(*more_targets: str, **keys: object) -> Make:
    keys = {"target_modules": [*_TARGETS, *more_targets], **keys}
    return lambda: LoraConfig(r=4, lora_alpha=8, task_type=_TASK, **keys)


def _method(name: str, **keys: object) -> Make:
    keys = {"target_modules": _TARGETS, **keys}
    return lambda: getattr(peft, f"{name}Config")(task_type=_TASK, **keys)


MERGED: dict[str, Make] = {
    "lora": _lora(),
    "rslora": _lora(use_rslora=True),
    "patterns": _lora(rank_pattern={"q_proj": 2}, alpha_pattern={r"layers\.1\.self_attn\.v_proj": 3}),
    "some layers": _lora(layers_to_transform=[1]),
    "dora": _lora(use_dora=True),
    "pissa": _lora(init_lora_weights="pissa"),
    "olora": _lora(init_lora_weights="olora"),
}
"""LoRA and DoRA on linear weights alone: a merge is the same."""

UNMERGED: dict[str, Make] = {
    "embedding": _lora("embed_tokens"),
    "head": _lora("lm_head"),
    "embedding and head": _lora("embed_tokens", "lm_head"),
    "lora bias": _lora(lora_bias=True),
    "saved embedding": _lora(modules_to_save=["embed_tokens"]),
    "saved head": _lora(modules_to_save=["lm_head"]),
    "saved norm": _lora(modules_to_save=["norm"]),
    "some tokens": _lora(trainable_token_indices=[3, 40, 41]),
    "tied on request": _lora("embed_tokens", ensure_weight_tying=True),
    "parameters": _lora(target_parameters=["mlp.up_proj.weight"]),
    "ia3": _method("IA3", target_modules=["k_proj", "down_proj"], feedforward_modules=["down_proj"]),
    "vera": _method("Vera", target_modules=["q_proj"], r=4),
    "loha": _method("LoHa", r=4),
    "lokr": _method("LoKr", r=4),
    "oft": _method("OFT", r=0, oft_block_size=4),
    "boft": _method("BOFT", boft_block_size=4),
    "hra": _method("HRA", r=4),
}
"""What a merge would change in another way, or cannot express. A head of an untied base is merged all the same."""

RESIZED: dict[str, Make] = {
    "resized": _lora(),
    "resized, saved embedding": _lora(modules_to_save=["embed_tokens"]),
    "resized, saved both": _lora(modules_to_save=["embed_tokens", "lm_head"]),
    "resized, both by LoRA": _lora("embed_tokens", "lm_head"),
}
COMMON = {**MERGED, **UNMERGED, **RESIZED}
"""What people bring most."""

OTHERS: dict[str, Make] = {
    "all-linear": _lora(target_modules="all-linear"),
    "regex": _lora(target_modules=r".*\.1\..*(q_proj|up_proj)"),
    "excluded": _lora(exclude_modules=["layers.0.self_attn.v_proj"]),
    "mica": _lora(init_lora_weights="mica"),
    "random pissa": _lora(init_lora_weights="pissa_niter_4"),
    "saved mlp": _lora(modules_to_save=["mlp"]),
    "tokens of both": _lora(trainable_token_indices={"embed_tokens": [3, 40], "lm_head": [5]}),
    "tokens and head": _lora("lm_head", trainable_token_indices=[3, 40]),
    "saved and tied on request": _lora(modules_to_save=["embed_tokens"], ensure_weight_tying=True),
    "resized dora": _lora(use_dora=True),
    "resized, some tokens": _lora(trainable_token_indices=[3, 360]),
    "block-diagonal": lambda: _lora(
        use_bdlora=peft.BdLoraConfig(target_modules_bd_a=["q_proj"], target_modules_bd_b=["v_proj"], nblocks=2)
    )(),
    "kasa": lambda: _lora(kasa_config=peft.KasaConfig())(),
    "velora": lambda: _lora(velora_config=peft.VeloraConfig())(),
    "monteclora": lambda: _lora(monteclora_config=peft.MontecloraConfig())(),
    "more layers": _lora(layer_replication=[[0, 2], [1, 2]]),
    "tokens alone": _method("TrainableTokens", token_indices=[3, 40, 41], target_modules=["embed_tokens"]),
    "adalora": _method("AdaLora", init_r=4, total_step=10),
    "ia3 on the head": _method("IA3", target_modules=["k_proj", "lm_head"], feedforward_modules=[]),
    "vera, drawn": _method("Vera", target_modules=["q_proj"], r=4, save_projection=False),
    "oft, constrained": _method("OFT", r=0, oft_block_size=4, coft=True),
    "vblora": _method("VBLoRA", r=2, num_vectors=8, vector_length=8),
    "layer norms": _method("LNTuning", target_modules=["input_layernorm"]),
    "attention prompts": lambda: peft.AdaptionPromptConfig(adapter_len=4, adapter_layers=1, task_type=_TASK),
    "fourierft": _method("FourierFT", n_frequency=20),
    "waveft": _method("WaveFT", n_frequency=20),
    "c3a": _method("C3A", block_size=8),
    "miss": _method("Miss", r=4),
    "randlora": _method("RandLora", target_modules=["q_proj"], r=4),
    "shira": _method("Shira", r=4),
    "road": _method("Road", group_size=8),
    "osf": _method("OSF", effective_rank=4),
    "delora": _method("Delora", r=4),
    "gralora": _method("Gralora", r=4, gralora_k=2),
    "tinylora": _method("TinyLora", r=2, u=8),
    "psoft": _method("Psoft", r=4),
    "peanut": _method("Peanut", r=4),
    "supertuning": _method("Supertuning", r=4, lora_alpha=8),
    "deft": _method("Deft", r=4),
    "hira": _method("Hira", r=4),
    "adamss": _method("Adamss", r=4, num_subspaces=2),
    "beft": _method("Beft"),
    "frod": _method("Frod", progressbar=False),
    "pvera": _method("Pvera", target_modules=["q_proj"], r=4),
    "glora": _method("Glora", r=4),
    "unilora": _method("UniLora", r=4, theta_d_length=64),
}
"""Further forms of LoRA, and PEFT's further methods."""

_PROMPT = "{} puts tokens or keys of its own before each text"
REFUSED: dict[str, tuple[Make, str]] = {
    "prompt tuning": (lambda: peft.PromptTuningConfig(num_virtual_tokens=4, task_type=_TASK), _PROMPT),
    "prefix tuning": (lambda: peft.PrefixTuningConfig(num_virtual_tokens=4, task_type=_TASK), _PROMPT),
    "p-tuning": (lambda: peft.PromptEncoderConfig(num_virtual_tokens=4, task_type=_TASK), _PROMPT),
    "multitask": (lambda: peft.MultitaskPromptTuningConfig(num_virtual_tokens=4, task_type=_TASK), _PROMPT),
    "cartridge": (lambda: peft.CartridgeConfig(num_virtual_tokens=4, num_frozen_tokens=1, task_type=_TASK), _PROMPT),
    "cpt": (
        lambda: peft.CPTConfig(cpt_token_ids=[3, 4], cpt_mask=[1, 1], cpt_tokens_type_mask=[1, 2], task_type=_TASK),
        _PROMPT,
    ),
    "activated lora": (_lora(alora_invocation_tokens=[5, 6]), "activated LoRA"),
    "poly": (_method("Poly", r=4), "PEFT cannot compute with it: task_ids should not be None"),
    "lily": (_method("Lily", r=4), "{} lets a token's scores depend on later tokens"),
    "shadow": (_method("Shadow", target_modules=None, r=4), "{} computes more than the network's modules"),
    "pvera, sampled": (
        _method("Pvera", target_modules=["q_proj"], r=4, sample_at_inference=True),
        "{} draws random numbers when it computes",
    ),
}
"""What needs more than a text and the network's modules, with the refusal; {} is the method's name."""

N_NEW = 8
KINDS: dict[str, Make] = {**COMMON, **OTHERS, **{kind: make for kind, (make, _) in REFUSED.items()}}


def is_resized(kind: str) -> bool:
    """Whether the vocabulary grew by ``N_NEW`` tokens before the training."""
    return kind.startswith("resized")


def make_kind(base: Path, kind: str, folder: Path, *, strength: float = 0.1) -> Path:
    """An adapter of this kind with random values; a resized one lies with its tokenizer."""
    torch.manual_seed(0)
    network = AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32)
    if is_resized(kind):
        tokenizer = AutoTokenizer.from_pretrained(base)
        tokenizer.add_tokens([f"<new{index}>" for index in range(N_NEW)])
        network.resize_token_embeddings(len(tokenizer), mean_resizing=False)
        tokenizer.save_pretrained(folder)
    return save_random(network, KINDS[kind](), folder, strength=strength)


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
