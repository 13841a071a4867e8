"""Adapters that other tools wrote, loaded by PEFT: what it loads is computed as it computes, what it refuses is refused.

PEFT only warns of tensors that are missing or of no use. Here they are errors, as are tensors that hold NaN or infinity.
"""

import re
import warnings
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from peft import PeftConfig, PeftModelForCausalLM, PeftType
from peft.mapping import PEFT_TYPE_TO_PREFIX_MAPPING
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file

from donorgrid.core.errors import InputError
from donorgrid.models.adapter_files import ADAPTER_WEIGHTS, read_config
from donorgrid.models.memory import out_of_memory
from donorgrid.models.output_head import logits_at
from donorgrid.models.safetensors_headers import tensor_shapes
from donorgrid.models.shared_copies import copy_sharing_weights, give_own_weights, resize_vocabulary

_MISMATCH = re.compile(r"size mismatch for (\S+): .*?Size\(\[([\d, ]*)\]\).*?Size\(\[([\d, ]*)\]\)")
_WRAPPERS = re.compile(r"\.(base_layer|original_module|modules_to_save(\.default)?|token_adapter)(?=\.)")
_SAME_NATS = 1e-3
_PREFIX = "base_model.model."
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
    _check_finite(folder)
    kind = read_config(folder).get("peft_type")
    if kind not in PeftType.__members__:
        raise InputError(f"adapter '{folder}': its peft_type is {kind!r}; this PEFT knows {list(PeftType.__members__)}")
    try:
        config = PeftConfig.from_pretrained(str(folder))
        _check_method(folder, config)
        copied = copy_sharing_weights(network)
        n_rows = _vocabulary_rows(copied, shapes, config, n_tokens)
        if n_rows != copied.get_input_embeddings().weight.shape[0]:
            resize_vocabulary(copied, n_rows)
        give_own_weights(copied, _overwritten(copied, shapes))
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
    _check_complete(folder, adapted)
    return adapted.eval()


def _check_finite(folder: Path) -> None:
    with safe_open(folder / ADAPTER_WEIGHTS, framework="pt") as tensors:
        for name in tensors.keys():  # noqa: SIM118 (it is no mapping)
            tensor = tensors.get_tensor(name)
            n_bad = int((~torch.isfinite(tensor.float())).sum()) if tensor.is_floating_point() else 0
            if n_bad:
                raise InputError(
                    f"adapter '{folder}': {name} holds {n_bad} numbers that are NaN or infinite; expected none"
                )


def _check_method(folder: Path, config: Any) -> None:
    """InputError for methods that compute more than the modules of the network."""
    if config.is_prompt_learning:
        raise InputError(
            f"adapter '{folder}': {config.peft_type.value} puts tokens or keys of its own before each text; allowed are methods that "
            "change the network's modules, such as LORA, or a merged checkpoint"
        )
    if getattr(config, "alora_invocation_tokens", None):
        raise InputError(
            f"adapter '{folder}': alora_invocation_tokens (activated LoRA) changes a text only after some tokens; "
            "that is not supported"
        )
    if getattr(config, "megatron_config", None):
        raise InputError(f"adapter '{folder}': megatron_config is for models of Megatron; that is not supported")


def _vocabulary_rows(network: Any, shapes: Mapping[str, tuple[int, ...]], config: Any, n_tokens: int) -> int:
    """How many rows the vocabulary has that the adapter was trained with."""
    layers = (network.get_input_embeddings(), network.get_output_embeddings())
    names = {name.rpartition(".")[2] for name, module in network.named_modules() if module in layers}
    n_base = int(layers[0].weight.shape[0])
    of_vocabulary = {_base_name(key): shape for key, shape in shapes.items() if names & set(key.split("."))}
    ends = {f"{name}.weight" for name in names}
    saved = {shape[0] for key, shape in of_vocabulary.items() if ".".join(key.split(".")[-2:]) in ends and shape}
    if saved:
        return max(saved)
    is_larger = any(n_tokens in shape for shape in of_vocabulary.values()) or _last_token(config) >= n_base
    return max(n_base, n_tokens) if is_larger else n_base


def _last_token(config: Any) -> int:
    """The highest token whose embedding was trained alone; -1 for none."""
    trained = getattr(config, "trainable_token_indices", None) or getattr(config, "token_indices", None) or []
    lists = trained.values() if isinstance(trained, dict) else [trained]
    return max((token for tokens in lists for token in tokens), default=-1)


def _overwritten(network: Any, shapes: Iterable[str]) -> set[str]:
    """The base's own parameters that an adapter's files hold too: PEFT writes the saved ones over them.

    A name that the network lacks (it may be one of an earlier version of transformers) is found by its last parts.
    """
    parameters = [name for name, _ in network.named_parameters(remove_duplicate=False)]
    known = set(parameters)
    names: set[str] = set()
    for key in map(_base_name, shapes):
        end = ".".join(key.split(".")[-2:])
        names |= {key} & known or {name for name in parameters if name.endswith(f".{end}")}
    return names


def _base_name(key: str) -> str:
    return _WRAPPERS.sub("", key.removeprefix(_PREFIX))


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
            f"it was made for another base or rank: {_file_name(tensor)} is {_sizes(in_file)}; expected "
            f"{_sizes(expected)}"
        )
    if isinstance(error, KeyError):
        return f"PEFT cannot load it: {error.args[0] if error.args else error} is missing"
    if "not found in the base model" in str(error):
        return f"it was made for another base: {_first_line(error)}"
    return f"PEFT cannot load it: {_first_line(error)}"


def _first_line(error: BaseException) -> str:
    return next(iter(str(error).strip().splitlines()), type(error).__name__)[:300]


def _sizes(written: str) -> str:
    return " x ".join(written.replace(" ", "").split(",")) if written.strip() else "one number"


def _file_name(parameter: str) -> str:
    """A parameter's name in PEFT's model as the file names it: without the adapter's name."""
    return parameter.replace(".default.", ".").removesuffix(".default")


def _check_complete(folder: Path, adapted: Any) -> None:
    """InputError when a tensor is missing or of no use."""
    unused = list(_unused(folder, adapted))
    missing = list(_missing(adapted))
    if unused:
        raise InputError(
            f"adapter '{folder}': {_file_name(unused[0])} fits no module that its configuration names "
            f"({len(unused)} such tensors); expected none"
            + (f"; {_file_name(missing[0])} is missing" if missing else "")
        )
    if missing:
        raise InputError(
            f"adapter '{folder}': {_file_name(missing[0])} is missing ({len(missing)} such tensors); expected one for "
            "each module that its configuration names"
        )


def _unused(folder: Path, adapted: Any) -> Iterator[str]:
    """The names that PEFT has no use for, without second copies: it saves resized embeddings more than once."""
    names = adapted.load_result.unexpected_keys
    if not names:
        return
    tensors = load_file(folder / ADAPTER_WEIGHTS)
    for name in names:
        tensor = tensors.get(_file_name(name))
        others = [other for key, other in tensors.items() if _file_name(name) != key]
        if tensor is None or not any(torch.equal(tensor, other) for other in others):
            yield name


def _missing(adapted: Any) -> Iterator[str]:
    """The names that PEFT misses, without those of tensors that it loaded under another name."""
    parameters = dict(adapted.named_parameters(remove_duplicate=False))
    missing = set(adapted.load_result.missing_keys)
    loaded = {id(parameter) for name, parameter in parameters.items() if name not in missing}
    for name in adapted.load_result.missing_keys:
        if id(parameters.get(name)) not in loaded:
            yield name


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
    network = adapted.base_model.model
    ids = torch.arange(2, 10, device=network.get_input_embeddings().weight.device).unsqueeze(0)
    batch = {"input_ids": ids, "attention_mask": torch.ones_like(ids)}
    with torch.inference_mode():
        whole = adapted(**batch, use_cache=False).logits[0].float().log_softmax(-1)
        parts = logits_at(network, batch, torch.ones_like(ids, dtype=torch.bool)).float().log_softmax(-1)
    gap_nats = (whole - parts).abs().max().item() if whole.shape == parts.shape else float("inf")
    if not gap_nats <= _SAME_NATS:
        kind = adapted.peft_config["default"].peft_type.value
        raise InputError(f"adapter '{folder}': {kind} computes more than the network's modules; that is not supported")
