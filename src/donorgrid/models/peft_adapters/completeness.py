"""Tensors of an adapter that are missing, of no use, or not finite: PEFT loads such adapters with a warning or none."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from safetensors.torch import load_file

from donorgrid.core.errors import InputError
from donorgrid.models.adapter_files import ADAPTER_WEIGHTS
from donorgrid.models.peft_adapters.vocabulary import base_name


def check_finite(folder: Path) -> None:
    """Raises InputError for an adapter that holds NaN or infinity."""
    with safe_open(folder / ADAPTER_WEIGHTS, framework="pt") as tensors:
        for name in tensors.keys():  # noqa: SIM118 (it is no mapping)
            tensor = tensors.get_tensor(name)
            n_bad = int((~torch.isfinite(tensor.float())).sum()) if tensor.is_floating_point() else 0
            if n_bad:
                raise InputError(
                    f"adapter '{folder}': {name} holds {n_bad} numbers that are NaN or infinite; expected none"
                )


def check_complete(folder: Path, adapted: Any) -> None:
    """Checks that PEFT found every tensor that it looked for, and used every tensor that the files hold.

    Parameters
    ----------
    folder
        The adapter.
    adapted
        The model that PEFT loaded it into, with its ``load_result``.

    Raises
    ------
    InputError
        A tensor is missing or of no use.
    """
    unused = list(_unused(folder, adapted))
    missing = list(_missing(adapted))
    if unused:
        raise InputError(
            f"adapter '{folder}': {file_name(unused[0])} fits no module that its configuration names "
            f"({len(unused)} such tensors); expected none"
            + (f"; {file_name(missing[0])} is missing" if missing else "")
        )
    if missing:
        raise InputError(
            f"adapter '{folder}': {file_name(missing[0])} is missing ({len(missing)} such tensors); expected one for "
            "each module that its configuration names"
        )


def _unused(folder: Path, adapted: Any) -> Iterator[str]:
    """The names that PEFT has no use for, without second copies: it saves resized embeddings more than once."""
    names = adapted.load_result.unexpected_keys
    if not names:
        return
    tensors = load_file(folder / ADAPTER_WEIGHTS)
    for name in names:
        key = file_name(name)
        others = (other for other in tensors if other != key and _may_be_copies(key, other))
        if key not in tensors or not any(torch.equal(tensors[key], tensors[other]) for other in others):
            yield name


def _may_be_copies(first: str, second: str) -> bool:
    are_of_tokens = all(".token_adapter." in key for key in (first, second))  # also of a head that is tied
    return are_of_tokens or base_name(first) == base_name(second)


def _missing(adapted: Any) -> Iterator[str]:
    """The names that PEFT misses, without those of tensors that it loaded under another name."""
    parameters = dict(adapted.named_parameters(remove_duplicate=False))
    missing = set(adapted.load_result.missing_keys)
    loaded = {id(parameter) for name, parameter in parameters.items() if name not in missing}
    for name in adapted.load_result.missing_keys:
        if id(parameters.get(name)) not in loaded:
            yield name


def file_name(parameter: str) -> str:
    """A parameter's name in PEFT's model as the file names it: without the adapter's name."""
    return parameter.replace(".default.", ".").removesuffix(".default")
