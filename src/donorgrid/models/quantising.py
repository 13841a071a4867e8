"""Base weights in 4 bit through bitsandbytes (QLoRA: Dettmers et al. 2023, arXiv 2305.14314), an extra."""

from importlib.util import find_spec

import torch
from transformers import BitsAndBytesConfig

from donorgrid.core.errors import InputError

_NEEDED = ("bitsandbytes", "accelerate")


def four_bit(dtype: torch.dtype, *, device: str) -> BitsAndBytesConfig:
    """NF4 with quantised constants, computing in ``dtype``.

    InputError where there is no CUDA device (on a CPU bitsandbytes packs weights anew as it reads them, so that a base
    could not be told from a changed one), or a package is missing.
    """
    if not device.startswith("cuda"):
        raise InputError(f"weights '4bit': they are computed on a CUDA device; here the device is '{device}'")
    for name in _NEEDED:
        if find_spec(name) is None:
            raise InputError(f"weights '4bit': the package {name} is missing; install the extra donorgrid[4bit]")
    return four_bit_config(dtype)


def four_bit_config(dtype: torch.dtype) -> BitsAndBytesConfig:
    """What bitsandbytes is told."""
    return BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=dtype,
    )
