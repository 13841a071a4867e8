"""Loading a base model and its tokenizer with transformers: safetensors only, no remote code."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from transformers import AutoModelForCausalLM, AutoTokenizer, BitsAndBytesConfig
from transformers.utils import logging as transformers_logging

from donorgrid.core.errors import InputError
from donorgrid.core.records import Precision, Weights
from donorgrid.models.folders import ModelFolder
from donorgrid.models.quantising import check_weights, four_bit
from donorgrid.models.reader import Reader

DTYPES: dict[Precision, torch.dtype] = {"fp32": torch.float32, "bf16": torch.bfloat16}


@dataclass(frozen=True)
class Base:
    """A resident base model: the network in eval mode on its device, what reads with it, and its tokenizer.

    ``is_quantised``: its weights are no plain numbers, and nothing can be added to them.
    """

    network: Any
    tokenizer: Any
    folder: ModelFolder
    reader: Reader
    is_quantised: bool = False

    @property
    def device(self) -> torch.device:
        """Where the network lies."""
        return self.reader.device


def load_tokenizer(folder: ModelFolder) -> Any:
    """The tokenizer of a model; InputError when the folder holds none."""
    try:
        return AutoTokenizer.from_pretrained(folder.path, local_files_only=True, trust_remote_code=False)
    except (OSError, ValueError) as error:
        raise InputError(f"{folder.path}: the tokenizer cannot be loaded: {str(error).splitlines()[0]}") from error


def load_base(folder: ModelFolder, *, precision: Precision, device: str, weights: Weights = "own") -> Base:
    """The base model in the given precision, without dropout and with nothing to train.

    With ``weights`` "4bit" its linear maps are kept in 4 bit and compute in that precision; InputError where that
    cannot be.
    """
    check_weights(weights, device=device)
    dtype = DTYPES[precision]
    quantisation = four_bit(dtype) if weights == "4bit" else None
    network = load_network(folder.path, dtype=dtype, device=device, quantisation=quantisation)
    network.requires_grad_(False)
    network.eval()
    return Base(
        network=network,
        tokenizer=load_tokenizer(folder),
        folder=folder,
        reader=Reader(network),
        is_quantised=quantisation is not None,
    )


def load_network(
    path: Path, *, dtype: torch.dtype, device: str = "cpu", quantisation: BitsAndBytesConfig | None = None
) -> Any:
    """The network of a checkpoint. InputError, one line, when it cannot be loaded."""
    transformers_logging.disable_progress_bar()
    in_bits = {"quantization_config": quantisation, "device_map": {"": device}} if quantisation else {}
    try:
        network = AutoModelForCausalLM.from_pretrained(
            path,
            dtype=dtype,
            local_files_only=True,
            use_safetensors=True,
            trust_remote_code=False,
            **in_bits,
        )
    except (OSError, ValueError, ImportError, SafetensorError) as error:
        raise InputError(f"{path}: the model cannot be loaded: {str(error).splitlines()[0]}") from error
    return network if in_bits else network.to(device)


def pick_device(wanted: str) -> str:
    """``auto`` becomes ``cuda`` where there is one, else ``cpu``; InputError for a device that is not there."""
    if wanted == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    if wanted.startswith("cuda") and not torch.cuda.is_available():
        raise InputError(f"device '{wanted}': no CUDA device is here; allowed are 'auto', 'cpu'")
    return wanted
