"""Merging an adapter into the weights of a network: by ourselves where it is plain LoRA, by PEFT otherwise."""

from pathlib import Path
from typing import Any

import torch
from peft import PeftModel
from safetensors.torch import load_file
from torch import Tensor

from donorgrid.core.errors import InputError
from donorgrid.models.adapter_files import ADAPTER_WEIGHTS, LORA_A, LORA_B, AdapterKey, parse_key, read_config
from donorgrid.models.peft_quirks import quiet_deprecations
from donorgrid.models.weight_backup import WeightBackup

# The configuration keys that leave the product ``scaling * B A`` all that an adapter adds to the model. With any other
# key set, PEFT itself must merge the adapter.
_PLAIN_KEYS = {
    *("alora_invocation_tokens", "base_model_name_or_path", "exclude_modules", "inference_mode", "layers_pattern"),
    *("layers_to_transform", "lora_alpha", "lora_dropout", "megatron_core", "peft_version", "qalora_group_size", "r"),
    *("revision", "target_modules", "task_type", "use_rslora"),
}
_PLAIN_VALUES = {"peft_type": "LORA", "bias": "none", "init_lora_weights": True}
# What changes more than weights of the base: the only values with which an adapter can be merged and taken out again.
_UNMERGEABLE = (("modules_to_save", None), ("bias", "none"), ("layer_replication", None))

Factors = dict[AdapterKey, Tensor]


def merge_adapter(network: Any, folder: Path, backup: WeightBackup, *, strength: float = 1.0) -> None:
    """Adds an adapter to the weights of a network: W0 + strength (W' - W0).

    Parameters
    ----------
    network
        The base's network, of which weights change in place.
    folder
        An adapter in PEFT's format.
    backup
        Gets a copy of every weight before it changes.
    strength
        How much of the adapter's change is applied. LoRA's product is scaled before it is added.

    Raises
    ------
    InputError
        The adapter changes more than weights of the base.
    """
    config = read_config(folder)
    for key, allowed in _UNMERGEABLE:
        if config.get(key) not in (allowed, None):
            raise InputError(f"{folder}: an adapter with {key} {config[key]!r} cannot be merged and taken out again")
    factors = _load_factors(folder)
    if _is_plain(config, factors):
        _merge_lora(config, factors, backup, strength)
    else:
        _merge_by_peft(network, folder, factors, backup)
        backup.interpolate(strength, {f"{key.module}.weight" for key in factors})


def _load_factors(folder: Path) -> Factors:
    factors = {}
    for key, tensor in load_file(folder / ADAPTER_WEIGHTS).items():
        parsed = parse_key(key)
        if parsed is None:
            raise InputError(f"{folder}: the tensor {key} is no LoRA factor; allowed are LoRA weights only")
        factors[parsed] = tensor
    return factors


def _is_plain(config: dict[str, Any], factors: Factors) -> bool:
    values_fit = all(config.get(key) == value for key, value in _PLAIN_VALUES.items())
    other_keys = config.keys() - _PLAIN_KEYS - _PLAIN_VALUES.keys()
    only_lora = all(key.factor in (LORA_A, LORA_B) for key in factors)
    return values_fit and only_lora and not any(config[key] for key in other_keys)


def _merge_lora(config: dict[str, Any], factors: Factors, backup: WeightBackup, strength: float) -> None:
    """Adds ``scaling * B A`` to each weight, as PEFT does: the product in float32, then rounded to its dtype."""
    scaling = strength * config["lora_alpha"] / (config["r"] ** 0.5 if config.get("use_rslora") else config["r"])
    for key, lora_a in factors.items():
        if key.factor == LORA_A:
            add_product(backup, key.module, lora_a, factors[AdapterKey(key.module, LORA_B)], scaling)


def add_product(backup: WeightBackup, module: str, lora_a: Tensor, lora_b: Tensor, scaling: float) -> None:
    """Adds ``scaling * B A`` to the weight of a module, computed in float32.

    Parameters
    ----------
    backup
        Of the network; gets a copy of the weight before it changes.
    module
        The module's name in the network.
    lora_a, lora_b
        A (rank, n_in) and B (n_out, rank).
    scaling
        The adapter's scaling of this module.
    """
    with torch.no_grad():
        weight = backup.back_up(f"{module}.weight")
        a, b = (factor.to(weight.device, torch.float32) for factor in (lora_a, lora_b))
        weight.add_((b @ a).mul_(scaling))


def _merge_by_peft(network: Any, folder: Path, factors: Factors, backup: WeightBackup) -> None:
    """Lets PEFT merge. Weights are copied first: some methods change them as soon as PEFT loads the adapter."""
    for key in factors:
        backup.back_up(f"{key.module}.weight")
    with quiet_deprecations():
        adapted = PeftModel.from_pretrained(network, folder, is_trainable=False)
    adapted.merge_and_unload()
    network.eval()
