"""Loading a base model and its tokenizer with transformers: safetensors only, no remote code."""

import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, BitsAndBytesConfig
from transformers.utils import logging as transformers_logging

from donorgrid.core.errors import InputError
from donorgrid.core.records import Precision, Weights
from donorgrid.models.folders import ModelFolder
from donorgrid.models.gpu.ways import ALL_WAYS, WayName
from donorgrid.models.quantising import check_weights, four_bit
from donorgrid.models.reader import Reader
from donorgrid.models.refusals import refusals_of_files

_LOG = logging.getLogger("donorgrid")
DTYPES: dict[Precision, torch.dtype] = {"fp32": torch.float32, "bf16": torch.bfloat16}
_CUDA = re.compile(r"cuda(:(?P<index>\d{1,4}))?")


@contextmanager
def threads_set(n_threads: int | None) -> Iterator[None]:
    """In the body, torch computes on the CPU with so many threads; None changes nothing."""
    former = torch.get_num_threads()
    torch.set_num_threads(n_threads or former)
    try:
        yield
    finally:
        torch.set_num_threads(former)


@dataclass(frozen=True)
class Base:
    """A resident base model.

    Attributes
    ----------
    network
        The transformers model, in eval mode on its device, without gradients.
    tokenizer
        Its transformers tokenizer.
    folder
        The files that it was loaded from.
    reader
        Reads rows of tokens with the network.
    is_quantised
        Whether its weights are in 4 bit: nothing can be added to them.
    """

    network: Any
    tokenizer: Any
    folder: ModelFolder
    reader: Reader
    is_quantised: bool = False

    @property
    def device(self) -> torch.device:
        """The device of the network."""
        return self.reader.device


def load_tokenizer(folder: ModelFolder) -> Any:
    """The tokenizer of a model. InputError when the folder holds none."""
    path = folder.tokenizer_path
    with refusals_of_files(f"{path}: the tokenizer cannot be loaded"):
        tokenizer = AutoTokenizer.from_pretrained(path, local_files_only=True, trust_remote_code=False)
        tokenizer("a")
        return tokenizer


def load_base(
    folder: ModelFolder, *, precision: Precision, device: str, weights: Weights = "own", tries_ways: bool = False
) -> Base:
    """Loads a base model, in eval mode and with nothing to train.

    Parameters
    ----------
    folder
        The model's files.
    precision
        "fp32" or "bf16": the dtype of weights and computation.
    device
        A torch device, for example "cpu" or "cuda".
    weights
        "own", or "4bit": linear maps are kept in 4 bit and compute in ``precision``.
    tries_ways
        On a GPU, whether the reader tries other ways to compute and takes the fastest (``models.gpu``): their
        compilation takes up to a minute.

    Returns
    -------
    Base
        Ready to read and to train on.

    Raises
    ------
    InputError
        The model or its tokenizer cannot be loaded, or 4 bit is not possible here.
    """
    check_weights(weights, device=device)
    dtype = DTYPES[precision]
    quantisation = four_bit(dtype) if weights == "4bit" else None
    network = load_network(folder.path, dtype=dtype, device=device, quantisation=quantisation)
    network.requires_grad_(False)
    return Base(
        network=network,
        tokenizer=load_tokenizer(folder),
        folder=folder,
        reader=Reader(network, ways=_ways(device, tries_ways, is_quantised=quantisation is not None)),
        is_quantised=quantisation is not None,
    )


def _ways(device: str, tries_ways: bool, *, is_quantised: bool) -> tuple[WayName, ...]:
    """The ways that a reader may try. Layers in 4 bit are not compiled: PEFT's modules stand in them at times."""
    if not tries_ways or not device.startswith("cuda"):
        return ("dense masks",)
    return ("dense masks", "block masks") if is_quantised else ALL_WAYS


def load_network(
    path: Path, *, dtype: torch.dtype, device: str = "cpu", quantisation: BitsAndBytesConfig | None = None
) -> Any:
    """Loads the network of a checkpoint.

    Parameters
    ----------
    path
        The checkpoint's folder.
    dtype
        The dtype of its weights.
    device
        A torch device.
    quantisation
        The configuration of bitsandbytes, for weights in 4 bit.

    Returns
    -------
    transformers.PreTrainedModel
        A causal language model.

    Raises
    ------
    InputError
        It cannot be loaded; one line.
    """
    arguments = {"quantization_config": quantisation, "device_map": {"": device}} if quantisation else {}
    with _quiet_transformers(), refusals_of_files(f"{path}: the model cannot be loaded"):
        network, loaded = AutoModelForCausalLM.from_pretrained(
            path,
            output_loading_info=True,
            dtype=dtype,
            local_files_only=True,
            use_safetensors=True,
            trust_remote_code=False,
            **arguments,
        )
        network = (network if quantisation else network.to(device)).eval()
        missing = sorted(loaded["missing_keys"])
        if missing:
            raise InputError(
                f"{path}: the model cannot be loaded: its files hold no {missing[0]} ({len(missing)} such weights), "
                "which config.json needs"
            )
        _try_reading(network)
    if loaded["unexpected_keys"]:
        first, n_unused = min(loaded["unexpected_keys"]), len(loaded["unexpected_keys"])
        _LOG.warning("%s: %d weights of its files are not used, the first is %s", path, n_unused, first)
    return network


@contextmanager
def _quiet_transformers() -> Iterator[None]:
    """Without the progress bar, and without the tables of missing weights: they are one line of ours."""
    transformers_logging.disable_progress_bar()
    verbosity = transformers_logging.get_verbosity()
    transformers_logging.set_verbosity_error()
    try:
        yield
    finally:
        transformers_logging.set_verbosity(verbosity)


def _try_reading(network: Any) -> None:
    """Reads two tokens: what config.json says wrongly of the layers shows here, not amid the work."""
    ids = torch.tensor([[0, 1]], device=network.get_input_embeddings().weight.device)
    with torch.inference_mode():
        network(input_ids=ids, attention_mask=torch.ones_like(ids), use_cache=False)


def pick_device(wanted: str) -> str:
    """``auto`` becomes ``cuda`` if there is a CUDA device, else ``cpu``. InputError for a device that is missing."""
    n_gpus = torch.cuda.device_count()
    if wanted == "auto":
        return "cuda" if n_gpus else "cpu"
    index = _CUDA.fullmatch(wanted)
    if wanted == "cpu" or (index and int(index["index"] or 0) < n_gpus):
        return wanted
    here = "no CUDA device is here; " if not n_gpus else f"{n_gpus} CUDA devices are here; "
    allowed = ["auto", "cpu", *(["cuda", *(f"cuda:{number}" for number in range(n_gpus))] if n_gpus else [])]
    raise InputError(f"device '{wanted}': {here}allowed are {', '.join(map(repr, allowed))}")
