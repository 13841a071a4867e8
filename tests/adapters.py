"""Adapters for the tests of a check: PEFT folders with random or no effect, made without training."""

import json
from pathlib import Path

import torch
from peft import LoraConfig, get_peft_model
from transformers import AutoModelForCausalLM

from donorgrid.models.peft_quirks import quiet_deprecations


def make_adapter(base: Path, folder: Path, *, strength: float = 0.0, seed: int = 0, rank: int = 4) -> Path:
    """A LoRA adapter whose second factor is normal noise times ``strength``; 0 changes nothing at all."""
    torch.manual_seed(seed)
    network = AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32)
    with quiet_deprecations():
        adapted = get_peft_model(network, LoraConfig(r=rank, lora_alpha=rank, target_modules=["q_proj", "v_proj"]))
        with torch.no_grad():
            for name, parameter in adapted.named_parameters():
                if "lora_B" in name:
                    parameter.normal_().mul_(strength)
        adapted.save_pretrained(folder)
    return folder


def change_config(adapter: Path, **changes: object) -> Path:
    """The same adapter with other keys in its configuration."""
    path = adapter / "adapter_config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))
    return adapter
