"""PEFT puts a new adapter on the network, draws its first weights, and defines how its configuration is written."""

import json
import re
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from peft import LoraConfig, TaskType, get_peft_model
from peft.tuners.lora import LoraLayer

from donorgrid.core.errors import InputError
from donorgrid.core.records import Recipe
from donorgrid.models.adapter_files import ADAPTER_CONFIG
from donorgrid.models.loading import Base
from donorgrid.models.peft_quirks import quiet_deprecations

ADAPTER_NAME = "default"


@contextmanager
def new_adapter(base: Base, recipe: Recipe, *, train_seed: int) -> Iterator[tuple[LoraConfig, dict[str, LoraLayer]]]:
    """While the body runs, PEFT's modules of a new adapter stand in the network.

    Parameters
    ----------
    base
        The resident base; PEFT's modules are taken off it afterwards.
    recipe
        Method, rank, alpha, dropout and target modules.
    train_seed
        The seed of the first weights.

    Yields
    ------
    tuple
        PEFT's configuration, and PEFT's layers by the name of their module.

    Raises
    ------
    InputError
        The target modules are not in the model, or one of them is not linear.
    """
    torch.manual_seed(train_seed)
    adapted = _attach(base.network, recipe)
    try:
        layers = {name: module for name, module in base.network.named_modules() if isinstance(module, LoraLayer)}
        for name, layer in layers.items():
            if ADAPTER_NAME not in layer.lora_A:
                raise InputError(f"recipe '{recipe.name}': target_modules: '{name}' is no linear module")
        yield adapted.peft_config[ADAPTER_NAME], layers
    finally:
        adapted.unload()


def save_config(config: LoraConfig, folder: Path) -> None:
    """Writes PEFT's configuration, the target modules sorted (PEFT keeps them in a set).

    Parameters
    ----------
    config
        PEFT's configuration of the trained adapter.
    folder
        Where ``adapter_config.json`` goes.
    """
    replace(config, inference_mode=True).save_pretrained(folder)
    file = folder / ADAPTER_CONFIG
    content = json.loads(file.read_text(encoding="utf-8"))
    if isinstance(content["target_modules"], list):
        content["target_modules"].sort()
    file.write_text(json.dumps(content, indent=2, sort_keys=True) + "\n", encoding="utf-8")


def preserved_random_state(base: Base) -> AbstractContextManager[Any]:
    """A context after which torch's random generators are as they were."""
    return torch.random.fork_rng(devices=[base.device] if base.device.type == "cuda" else [])


def _attach(network: Any, recipe: Recipe) -> Any:
    modules = recipe.target_modules
    config = LoraConfig(
        r=recipe.rank,
        lora_alpha=recipe.alpha,
        lora_dropout=recipe.dropout,
        use_rslora=recipe.method == "rslora",
        use_dora=recipe.method == "dora",
        target_modules=modules if isinstance(modules, str) else list(modules),
        exclude_modules=_outside_decoder(network),
        task_type=TaskType.CAUSAL_LM,
    )
    try:
        with quiet_deprecations():
            return get_peft_model(network, config)
    except ValueError as error:
        raise InputError(f"recipe '{recipe.name}': target_modules: {str(error).splitlines()[0]}") from error


def _outside_decoder(network: Any) -> str | None:
    """For a model of several parts, a pattern of all modules outside its language model (a vision tower's)."""
    decoder = network.get_decoder()
    if decoder is network.base_model:
        return None
    name = next(name for name, module in network.named_modules() if module is decoder)
    return rf"(?!{re.escape(name)}\.).*"
