"""A LoRA adapter at a strength: every factor B is multiplied, so that ranks, alphas and their patterns stay."""

import re
import shutil
from pathlib import Path
from typing import Any

from safetensors.torch import load_file, save_file
from torch import Tensor

from donorgrid.core.errors import InputError
from donorgrid.models.adapter_files import ADAPTER_CONFIG, ADAPTER_WEIGHTS, read_config
from donorgrid.models.peft_adapters.vocabulary import base_name, with_rows
from donorgrid.models.weight_backup import between

_SCALED = re.compile(r"\.lora_(embedding_)?B(\.|$)")
_KEPT = re.compile(r"\.lora_(embedding_)?A(\.|$)")
_TOKENS = ".trainable_tokens_delta"


def write_scaled_factors(network: Any, adapter: Path, folder: Path, *, strength: float) -> None:
    """Writes a LoRA adapter at a strength.

    B is multiplied in float32. Biases, saved modules, trained tokens and embeddings in the adapter's files lie between
    the base's and the adapter's.

    Parameters
    ----------
    network
        The base's network.
    adapter
        A LoRA adapter in PEFT's format.
    folder
        An existing folder, for the files.
    strength
        How much of the adapter's change is applied.

    Raises
    ------
    InputError
        A tensor is neither a factor of LoRA nor a weight of the base.
    """
    config, base = read_config(adapter), dict(network.named_parameters(remove_duplicate=False))
    tensors = {
        key: _scaled(key, tensor, config, base, strength).contiguous()
        for key, tensor in load_file(adapter / ADAPTER_WEIGHTS).items()
    }
    save_file(tensors, folder / ADAPTER_WEIGHTS, metadata={"format": "pt"})
    shutil.copyfile(adapter / ADAPTER_CONFIG, folder / ADAPTER_CONFIG)


def _scaled(key: str, tensor: Tensor, config: dict[str, Any], base: dict[str, Tensor], strength: float) -> Tensor:
    if _KEPT.search(key):
        return tensor
    if _SCALED.search(key):
        return tensor.float() * strength
    name = base_name(key)
    if _TOKENS in key:
        module = name.partition(_TOKENS)[0]
        return between(base[f"{module}.weight"].detach()[_tokens(config, module)].cpu(), tensor.float(), strength)
    if name not in base:
        raise InputError(
            f"adapter: the tensor {key} is no factor of LoRA and no weight of the base: it cannot be scaled"
        )
    return between(with_rows(base[name].detach().cpu(), len(tensor)), tensor.float(), strength)


def _tokens(config: dict[str, Any], module: str) -> list[int]:
    """The tokens whose embeddings were trained, in the module of that name."""
    tokens = config.get("trainable_token_indices")
    return list(tokens[module.rpartition(".")[2]] if isinstance(tokens, dict) else tokens or [])
