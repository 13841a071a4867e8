"""Whether an adapter can be checked on a base: its configuration, and its modules against those of the base."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from donorgrid.core.errors import InputError
from donorgrid.models.adapter_files import (
    ADAPTER_CONFIG,
    ADAPTER_WEIGHTS,
    LORA_A,
    LORA_B,
    factor_shapes,
    read_config,
)
from donorgrid.models.folders import ModelFolder, weight_shapes

_FROM_NUMBER = re.compile(r"\d+\..+")
"""The part of a module's name from its layer's number on."""


def read_fitting_adapter(written: str, path: Path, base: ModelFolder, *, base_name: str) -> dict[str, Any]:
    """Check that an adapter is a LoRA adapter that fits a base.

    Parameters
    ----------
    written : str
        The adapter as the user named it, for messages.
    path : Path
        Its folder.
    base : ModelFolder
        The files of the base.
    base_name : str
        The base as the user named it, for messages.

    Returns
    -------
    dict
        PEFT's configuration of the adapter.

    Raises
    ------
    InputError
        If it is of another kind, its files cannot be read, or it was trained on another base.
    """
    config = read_config(path)
    kind = config.get("peft_type")
    for key in ("r", "lora_alpha"):
        if kind == "LORA" and not isinstance(config.get(key), int | float):
            raise InputError(f"adapter '{written}': {ADAPTER_CONFIG}: {key} is {config.get(key)!r}; expected a number")
    if kind != "LORA":
        raise InputError(
            f"adapter '{written}': its kind is {kind!r}; LORA can be checked as an adapter, any other as a merged "
            "checkpoint"
        )
    if not (path / ADAPTER_WEIGHTS).is_file():
        raise InputError(f"adapter '{written}': it holds no {ADAPTER_WEIGHTS}; other weight formats are not read")
    _check_shapes(written, factor_shapes(path), base, base_name)
    return config


def _check_shapes(
    written: str, shapes_of: Mapping[str, Mapping[str, tuple[int, ...]]], base: ModelFolder, base_name: str
) -> None:
    """InputError when the adapter names a module that the base lacks, or has in another shape.

    Modules are compared from their layer's number on, because files and networks differ in what comes before it.
    """
    base_shapes: dict[str, set[tuple[int, ...]]] = {}
    for name, shape in weight_shapes(base).items():
        base_shapes.setdefault(_comparable(name.removesuffix(".weight")), set()).add(shape)
    lora = {module: shapes for module, shapes in shapes_of.items() if LORA_A in shapes or LORA_B in shapes}
    if not lora:
        raise InputError(f"adapter '{written}': it holds no LoRA weights (lora_A, lora_B)")
    for module, shapes in lora.items():
        a, b = shapes.get(LORA_A), shapes.get(LORA_B)
        if a is None or b is None:
            raise InputError(f"adapter '{written}': {module} has only one of lora_A and lora_B")
        in_base, adapted = base_shapes.get(_comparable(module)), {(b[0], a[-1]), (a[-1], b[0])}
        if in_base is None and _FROM_NUMBER.search(module):
            raise InputError(f"adapter '{written}': it was made for another base: '{base_name}' has no {module}")
        if in_base is not None and len(a) == len(b) == 2 and not in_base & adapted:
            base_shape = " x ".join(map(str, min(in_base)))
            raise InputError(
                f"adapter '{written}': it was made for another base: {module} is {base_shape} in '{base_name}', and "
                f"{b[0]} x {a[-1]} for the adapter"
            )


def _comparable(module: str) -> str:
    numbered = _FROM_NUMBER.search(module)
    return module.rpartition(".")[2] if numbered is None else numbered[0]
