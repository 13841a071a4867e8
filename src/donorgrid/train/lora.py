"""LoRA through PEFT: put an adapter on the base, train it, save it in PEFT's format, take it off again."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from peft import LoraConfig, PeftModel, TaskType, get_peft_model

from donorgrid.core.digests import canonical_json
from donorgrid.core.errors import InputError
from donorgrid.core.records import Recipe
from donorgrid.models.loading import Base
from donorgrid.models.peft_quirks import quiet_deprecations
from donorgrid.train.loop import Corpus, Epoch, fit

TRAIN_LOG = "train_log.jsonl"


@dataclass(frozen=True, kw_only=True)
class Trained:
    """A trained adapter: its log, and how to write it into a folder in PEFT's format with the log beside it."""

    log: tuple[Epoch, ...]
    save: Callable[[Path], None]


def train_lora(base: Base, corpus: Corpus, recipe: Recipe, *, train_seed: int, keep: Callable[[Trained], None]) -> None:
    """Train one adapter on the resident base and hand it to ``keep`` while it is still attached.

    The base's own weights are never touched; they are free of the adapter when this returns, whatever happens.
    Raises InputError when the target modules are not in the model, RunFailure when training diverges.
    """
    with torch.random.fork_rng(devices=[base.device] if base.device.type == "cuda" else []):
        torch.manual_seed(train_seed)
        adapted = _attach(base, recipe)
        try:
            parameters = [parameter for parameter in adapted.parameters() if parameter.requires_grad]
            log = tuple(fit(base.network, parameters, corpus, recipe, train_seed=train_seed))
            keep(Trained(log=log, save=lambda folder: _save(adapted, log, folder)))
        finally:
            adapted.unload()
            base.network.eval()


def _attach(base: Base, recipe: Recipe) -> PeftModel:
    modules = recipe.target_modules
    config = LoraConfig(
        r=recipe.rank,
        lora_alpha=recipe.alpha,
        lora_dropout=recipe.dropout,
        target_modules=modules if isinstance(modules, str) else list(modules),
        exclude_modules=_outside_decoder(base.network),
        task_type=TaskType.CAUSAL_LM,
    )
    try:
        with quiet_deprecations():
            return get_peft_model(base.network, config)
    except ValueError as error:
        raise InputError(f"recipe '{recipe.name}': target_modules: {str(error).splitlines()[0]}") from error


def _outside_decoder(network: Any) -> str | None:
    """For a model of several parts, a pattern of all modules that are not its language model (a vision tower's)."""
    decoder = network.get_decoder()
    if decoder is network.base_model:
        return None
    name = next(name for name, module in network.named_modules() if module is decoder)
    return rf"(?!{re.escape(name)}\.).*"


def _save(adapted: Any, log: tuple[Epoch, ...], folder: Path) -> None:
    adapted.save_pretrained(folder, save_embedding_layers=False)
    lines = [canonical_json(epoch.__dict__) + "\n" for epoch in log]
    (folder / TRAIN_LOG).write_text("".join(lines), encoding="utf-8")
