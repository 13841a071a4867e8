"""The base's own weights in an adapter's files: embeddings of a resized vocabulary, and others that it overwrites."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

import torch
from torch import Tensor

from donorgrid.models.adapter_files import KEY_PREFIX, parse_key

_WRAPPERS = re.compile(r"\.(base_layer|original_module|modules_to_save(\.default)?|token_adapter)(?=\.)")


def vocabulary_rows(network: Any, shapes: Mapping[str, tuple[int, ...]], config: Any, n_tokens: int) -> int:
    """How many rows the vocabulary has that the adapter was trained with.

    Parameters
    ----------
    network
        The base's network, or a copy.
    shapes
        The shapes of the adapter's tensors by key.
    config
        PEFT's configuration of the adapter.
    n_tokens
        The number of tokens that the tokenizer knows.

    Returns
    -------
    int
        The rows of the embeddings that the adapter holds; else ``n_tokens`` if it needs more rows than the base has.
    """
    layers = (network.get_input_embeddings(), network.get_output_embeddings())
    names = {name.rpartition(".")[2] for name, module in network.named_modules() if module in layers}
    n_base = int(layers[0].weight.shape[0])
    of_vocabulary = {base_name(key): shape for key, shape in shapes.items() if names & set(key.split("."))}
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


def overwritten_weights(network: Any, keys: Iterable[str], config: Any) -> set[str]:
    """The base's own parameters that PEFT writes into when it loads an adapter.

    These are the parameters that the adapter's files hold too, and, for a method that starts from the base's weights
    (``init_lora_weights: olora``), those of the modules that it changes.

    Parameters
    ----------
    network
        The base's network, or a copy.
    keys
        The keys of the adapter's tensors.
    config
        PEFT's configuration of the adapter.

    Returns
    -------
    set of str
        Names of parameters. A key that the network lacks (it may be of an earlier version of transformers) is found
        by its last two parts.
    """
    parameters = [name for name, _ in network.named_parameters(remove_duplicate=False)]
    known = set(parameters)
    names: set[str] = set()
    keys = list(keys)
    written = {base_name(key) for key in keys}
    if isinstance(getattr(config, "init_lora_weights", None), str):
        written |= {f"{parsed.module}.weight" for key in keys if (parsed := parse_key(key))}
    for key in written:
        end = ".".join(key.split(".")[-2:])
        names |= {key} & known or {name for name in parameters if name.endswith(f".{end}")}
    return names


def base_name(key: str) -> str:
    """A tensor's key without PEFT's prefix and the names of the modules that PEFT puts around the base's."""
    return _WRAPPERS.sub("", key.removeprefix(KEY_PREFIX))


def with_rows(weight: Tensor, n_rows: int) -> Tensor:
    """A weight of the base with as many rows as a resized vocabulary.

    Parameters
    ----------
    weight
        The base's weight, ``(n_rows of the base, ...)``.
    n_rows
        The number of rows that are wanted.

    Returns
    -------
    Tensor
        New rows hold the mean of the others, as in ``resize_vocabulary``.
    """
    if n_rows <= len(weight):
        return weight[:n_rows]
    return torch.cat([weight, weight.mean(0).expand(n_rows - len(weight), *weight.shape[1:])])
