"""Loads an adapter by PEFT into a copy of the base, or says in one line why it cannot be used."""

import logging
import re
import warnings
from pathlib import Path
from typing import Any

import torch
from peft import PeftConfig, PeftModelForCausalLM, PeftType
from peft.mapping import PEFT_TYPE_TO_PREFIX_MAPPING
from safetensors import SafetensorError

from donorgrid.core.errors import InputError
from donorgrid.models.adapter_files import ADAPTER_WEIGHTS, read_config
from donorgrid.models.memory import out_of_memory
from donorgrid.models.output_head import logits_at
from donorgrid.models.peft_adapters.completeness import check_complete, check_finite, file_name
from donorgrid.models.peft_adapters.shared_copies import (
    copy_sharing_weights,
    resize_vocabulary,
    separate_weights,
    tie_to_saved_embedding,
)
from donorgrid.models.peft_adapters.vocabulary import overwritten_weights, vocabulary_rows
from donorgrid.models.safetensors_headers import tensor_shapes

_LOG = logging.getLogger("donorgrid")
_MISMATCH = re.compile(r"size mismatch for (\S+): .*?Size\(\[([\d, ]*)\]\).*?Size\(\[([\d, ]*)\]\)")
_SAME_NATS = 1e-3
# What PEFT, and torch below it, raise for a configuration or weights that they cannot use.
_REFUSALS = (
    *(ValueError, TypeError, KeyError, AttributeError, RuntimeError, NotImplementedError),
    *(IndexError, ImportError, AssertionError, OSError, SafetensorError, re.error, ZeroDivisionError),
)


class _StrictModel(PeftModelForCausalLM):  # type: ignore[misc]
    """Keeps what PEFT found when it loaded the weights: ``from_pretrained`` drops it."""

    load_result: Any = None

    def load_adapter(self, *args: Any, **kwargs: Any) -> Any:
        self.load_result = super().load_adapter(*args, **kwargs)
        return self.load_result


def load_by_peft(network: Any, folder: Path, *, n_tokens: int) -> Any:
    """Loads an adapter into a copy of the base that shares its weights.

    A vocabulary that was resized before the training is resized here: to the rows that the adapter's files hold, or to
    the tokenizer's where it knows more tokens than the base has rows. That costs a copy of the embeddings.

    Parameters
    ----------
    network
        The base's network, which stays as it is.
    folder
        An adapter in PEFT's format.
    n_tokens
        The number of tokens that the tokenizer knows.

    Returns
    -------
    PeftModelForCausalLM
        In eval mode.

    Raises
    ------
    InputError
        PEFT refuses the adapter, a tensor is missing, of no use or not finite, or its method needs more than the
        modules of the network; one line.
    """
    shapes = tensor_shapes(folder / ADAPTER_WEIGHTS, whole=True)
    check_finite(folder)
    kind = read_config(folder).get("peft_type")
    if kind not in PeftType.__members__:
        raise InputError(f"adapter '{folder}': its peft_type is {kind!r}; this PEFT knows {list(PeftType.__members__)}")
    try:
        config = _read_config(folder)
        _check_method(folder, config)
        copied = copy_sharing_weights(network)
        n_rows = vocabulary_rows(copied, shapes, config, n_tokens)
        if n_rows != copied.get_input_embeddings().weight.shape[0]:
            resize_vocabulary(copied, n_rows)
        separate_weights(copied, overwritten_weights(copied, shapes))
        config.task_type = None  # otherwise PEFT chooses the class
        mapping = getattr(network, "_checkpoint_conversion_mapping", None) or _without_adapter_names(config)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            adapted = _StrictModel.from_pretrained(copied, str(folder), config=config, key_mapping=mapping)
    except InputError:
        raise
    except _REFUSALS as error:
        if isinstance(error, RuntimeError) and out_of_memory(error):
            raise
        raise InputError(f"adapter '{folder}': {_refusal(error)}") from error
    check_complete(folder, adapted)
    tie_to_saved_embedding(copied)
    return adapted.eval()


def _read_config(folder: Path) -> Any:
    """PEFT's configuration; a warning says which keys this version of PEFT does not know and leaves out."""
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        config = PeftConfig.from_pretrained(str(folder))
    for warning in said:
        _LOG.warning("adapter '%s': %s", folder, _first_line(warning.message))
    return config


def _check_method(folder: Path, config: Any) -> None:
    """InputError for methods that compute more than the modules of the network."""
    if config.is_prompt_learning:
        raise InputError(
            f"adapter '{folder}': {config.peft_type.value} puts tokens or keys of its own before each text; allowed "
            "are methods that change the network's modules, such as LORA, or a merged checkpoint"
        )
    if getattr(config, "alora_invocation_tokens", None):
        raise InputError(
            f"adapter '{folder}': alora_invocation_tokens (activated LoRA) changes a text only after some tokens; "
            "that is not supported"
        )
    if getattr(config, "megatron_config", None):
        raise InputError(f"adapter '{folder}': megatron_config is for models of Megatron; that is not supported")


def _without_adapter_names(config: Any) -> dict[str, str]:
    """A mapping for keys of training checkpoints, which hold the adapter's name: ``lora_A.default.weight``."""
    prefix = re.escape(PEFT_TYPE_TO_PREFIX_MAPPING.get(config.peft_type) or "lora_")
    return {
        rf"(\.{prefix}\w*)\.(?!weight$|bias$)\w+(?=\.weight$|\.bias$|$)": r"\1",
        r"\.modules_to_save\.\w+\.": ".",
    }


def _refusal(error: BaseException) -> str:
    """Why PEFT refuses an adapter, in one line."""
    mismatch = _MISMATCH.search(str(error))
    if mismatch:
        tensor, in_file, expected = mismatch.groups()
        return (
            f"it was made for another base or rank: {file_name(tensor)} is {_sizes(in_file)}; expected "
            f"{_sizes(expected)}"
        )
    if isinstance(error, KeyError):
        return f"{error.args[0] if error.args else error} is missing; its configuration names that module or key"
    if "not found in the base model" in str(error):
        return f"it was made for another base: {_first_line(error)}"
    return f"PEFT cannot load it: {_first_line(error)}"


def _first_line(error: BaseException | str) -> str:
    return next(iter(str(error).strip().splitlines()), type(error).__name__)[:300]


def _sizes(written: str) -> str:
    return " x ".join(written.replace(" ", "").split(",")) if written.strip() else "one number"


def check_reading(folder: Path, adapted: Any) -> None:
    """Checks that the network's decoder and head alone compute what PEFT's model computes.

    Parameters
    ----------
    folder
        The adapter, for the message.
    adapted
        A PEFT model.

    Raises
    ------
    InputError
        They do not: the adapter's method computes something around the network.
    """
    network = adapted.get_base_model()
    ids = torch.arange(2, 10, device=network.get_input_embeddings().weight.device).unsqueeze(0)
    batch = {"input_ids": ids, "attention_mask": torch.ones_like(ids)}
    with torch.inference_mode():
        whole = adapted(**batch, use_cache=False).logits[0].float().log_softmax(-1)
        parts = logits_at(network, batch, torch.ones_like(ids, dtype=torch.bool)).float().log_softmax(-1)
    gap_nats = (whole - parts).abs().max().item() if whole.shape == parts.shape else float("inf")
    if not gap_nats <= _SAME_NATS:
        kind = adapted.peft_config["default"].peft_type.value
        raise InputError(f"adapter '{folder}': {kind} computes more than the network's modules; that is not supported")
