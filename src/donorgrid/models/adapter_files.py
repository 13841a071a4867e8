"""The files of an adapter in PEFT's format: names, tensor keys, shapes, configuration, digest. No torch here.

An adapter is a folder with ``adapter_config.json`` and ``adapter_model.safetensors``. The key of a tensor names the
module that it changes and the factor that it is: ``base_model.model.<module>.lora_A.weight`` is the factor ``lora_A``.
Every other file of the package asks this one, so that a new form of key has one place to go.
"""

import math
import re
from pathlib import Path
from typing import Any, NamedTuple

from donorgrid.core.digests import digest_of, digest_of_files
from donorgrid.core.errors import InputError
from donorgrid.core.json_files import read_json_object
from donorgrid.models.safetensors_headers import tensor_shapes

ADAPTER_CONFIG = "adapter_config.json"
ADAPTER_WEIGHTS = "adapter_model.safetensors"
CHECKPOINT_CONFIG = "config.json"
TRAIN_LOG = "train_log.jsonl"
SCALED_FORMS = ("adapter", "merged", "low-rank")
"""How an adapter at a strength is written: factors scaled, a whole model, LoRA that approximates the change."""
LORA_A, LORA_B, MAGNITUDE = "lora_A", "lora_B", "lora_magnitude_vector"

KEY_PREFIX, _WEIGHT = "base_model.model.", ".weight"
_KEY = re.compile(r"base_model\.model\.(?P<module>.+?)\.(?P<factor>lora_.+?)(\.weight)?")
_BARE_FACTORS = {MAGNITUDE}
"""Factors that PEFT saves under their own name, without ``.weight``."""


class AdapterKey(NamedTuple):
    """The module that a tensor changes, as the network names it, and the factor that it is (``lora_A``)."""

    module: str
    factor: str


def tensor_key(module: str, factor: str) -> str:
    """The key under which PEFT saves a factor.

    Parameters
    ----------
    module
        The module's name in the network, for example ``model.layers.0.mlp.up_proj``.
    factor
        ``lora_A``, ``lora_B`` or ``lora_magnitude_vector``.

    Returns
    -------
    str
        For example ``base_model.model.model.layers.0.mlp.up_proj.lora_A.weight``.
    """
    return f"{KEY_PREFIX}{module}.{factor}" + ("" if factor in _BARE_FACTORS else _WEIGHT)


def parse_key(key: str) -> AdapterKey | None:
    """The module and the factor of a tensor's key; None for a key that is no LoRA factor."""
    match = _KEY.fullmatch(key)
    return AdapterKey(match["module"], match["factor"]) if match else None


def is_adapter(folder: Path) -> bool:
    """True if the folder holds an adapter; a folder without PEFT's configuration is a whole checkpoint."""
    return (folder / ADAPTER_CONFIG).is_file()


def read_config(folder: Path) -> dict[str, Any]:
    """PEFT's configuration of an adapter. InputError when it is missing, no JSON object, or holds NaN or infinity."""
    file = folder / ADAPTER_CONFIG
    config = read_json_object(file, what="PEFT's configuration")
    for key, value in config.items():
        if value != _with_names_of_non_finite(value):
            raise InputError(f"{file}: {key}: {value}: expected finite numbers")
    return config


def factor_shapes(folder: Path) -> dict[str, dict[str, tuple[int, ...]]]:
    """The shapes of an adapter's factors, by module and factor, from the header of its weights.

    Parameters
    ----------
    folder
        An adapter's folder.

    Returns
    -------
    dict
        For example ``{"model.layers.0.mlp.up_proj": {"lora_A": (rank, n_in), "lora_B": (n_out, rank)}}``. Keys that
        are no LoRA factors are left out.

    Raises
    ------
    InputError
        The weights are missing or cut.
    """
    shapes: dict[str, dict[str, tuple[int, ...]]] = {}
    for key, shape in tensor_shapes(folder / ADAPTER_WEIGHTS, whole=True).items():
        parsed = parse_key(key)
        if parsed is not None:
            shapes.setdefault(parsed.module, {})[parsed.factor] = shape
    return shapes


def changed_modules(folder: Path) -> tuple[str, ...]:
    """The modules that an adapter changes, as its weights name them. InputError when the weights cannot be read."""
    return tuple(factor_shapes(folder))


def content_digest(folder: Path) -> str:
    """SHA-256 over the weights and the configuration of an adapter or a checkpoint, wherever its base model lay.

    Work keys hold this digest: two folders with the same content have the same one. Raises OSError or InputError
    when a file is missing or broken.
    """
    if is_adapter(folder):
        config_file, base_path, weights = ADAPTER_CONFIG, "base_model_name_or_path", [folder / ADAPTER_WEIGHTS]
    else:
        config_file, base_path, weights = CHECKPOINT_CONFIG, "_name_or_path", sorted(folder.glob("*.safetensors"))
    config = read_json_object(folder / config_file)
    config.pop(base_path, None)
    return digest_of([digest_of_files(weights), _with_names_of_non_finite(config)])


def _with_names_of_non_finite(value: Any) -> Any:
    """The value with "nan" and "inf" for the numbers that JSON has no form for, as some checkpoints hold them."""
    if isinstance(value, dict):
        return {key: _with_names_of_non_finite(part) for key, part in value.items()}
    if isinstance(value, list):
        return [_with_names_of_non_finite(part) for part in value]
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value
