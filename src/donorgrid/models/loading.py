"""Loading a base model and its tokenizer with transformers: safetensors only, no remote code."""

from dataclasses import dataclass
from typing import Any

import torch
from safetensors import SafetensorError
from transformers import AutoModelForCausalLM, AutoTokenizer
from transformers.utils import logging as transformers_logging

from donorgrid.core.errors import InputError
from donorgrid.core.records import Precision
from donorgrid.models.folders import ModelFolder
from donorgrid.models.reader import Reader

DTYPES: dict[Precision, torch.dtype] = {"fp32": torch.float32, "bf16": torch.bfloat16}


@dataclass(frozen=True)
class Base:
    """A resident base model: the network in eval mode on its device, what reads with it, and its tokenizer."""

    network: Any
    tokenizer: Any
    folder: ModelFolder
    reader: Reader

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


def load_base(folder: ModelFolder, *, precision: Precision, device: str) -> Base:
    """The base model in the given precision, without dropout and with nothing to train."""
    transformers_logging.disable_progress_bar()
    try:
        network = AutoModelForCausalLM.from_pretrained(
            folder.path,
            dtype=DTYPES[precision],
            local_files_only=True,
            use_safetensors=True,
            trust_remote_code=False,
        )
    except (OSError, ValueError, SafetensorError) as error:
        raise InputError(f"{folder.path}: the model cannot be loaded: {str(error).splitlines()[0]}") from error
    network.requires_grad_(False)
    network = network.to(device).eval()
    return Base(network=network, tokenizer=load_tokenizer(folder), folder=folder, reader=Reader(network))


def pick_device(wanted: str) -> str:
    """``auto`` becomes ``cuda`` where there is one, else ``cpu``; InputError for a device that is not there."""
    if wanted == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    if wanted.startswith("cuda") and not torch.cuda.is_available():
        raise InputError(f"device '{wanted}': no CUDA device is here; allowed are 'auto', 'cpu'")
    return wanted
