"""Base weights in 4 bit through bitsandbytes (QLoRA: Dettmers et al. 2023, arXiv 2305.14314), an extra."""

from importlib.util import find_spec

import torch
from transformers import BitsAndBytesConfig

from donorgrid.core.errors import InputError
from donorgrid.core.records import Weights

_NEEDED = ("bitsandbytes", "accelerate")


def check_weights(weights: Weights, *, device: str) -> None:
    """Checks that weights of this kind can be loaded here.

    On a CPU bitsandbytes repacks weights when it reads them: a base could not be told from a changed one.

    Parameters
    ----------
    weights
        "own" (always possible) or "4bit".
    device
        A torch device.

    Raises
    ------
    InputError
        Weights in 4 bit are wanted, and a package is missing or the device is no CUDA device.
    """
    if weights == "own":
        return
    if not device.startswith("cuda"):
        raise InputError(f"weights '4bit': they are computed on a CUDA device; here the device is '{device}'")
    for name in _NEEDED:
        if find_spec(name) is None:
            raise InputError(f"weights '4bit': the package {name} is missing; install the extra donorgrid[4bit]")


def four_bit(dtype: torch.dtype) -> BitsAndBytesConfig:
    """The configuration of bitsandbytes: NF4 with quantised constants, computing in ``dtype``."""
    return BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=dtype,
    )
