"""Base weights in 4 bit through bitsandbytes (QLoRA: Dettmers et al. 2023, arXiv 2305.14314), an extra."""

from importlib.util import find_spec

import torch
from transformers import BitsAndBytesConfig

from donorgrid.core.errors import InputError


def four_bit(dtype: torch.dtype) -> BitsAndBytesConfig:
    """NF4 with quantised constants, computing in ``dtype``. InputError where bitsandbytes is not installed."""
    if find_spec("bitsandbytes") is None:
        raise InputError(
            "weights '4bit': the package bitsandbytes is missing; install it with the extra donorgrid[4bit]"
        )
    return BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=dtype,
    )
