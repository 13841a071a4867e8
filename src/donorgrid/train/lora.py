"""LoRA in PEFT's terms: PEFT chooses the modules and draws the first weights, and can read what is saved.

In between the adapters are trained by our own loop, several at once where that pays.
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import torch
from peft import LoraConfig, TaskType, get_peft_model
from peft.tuners.lora import LoraLayer
from safetensors.torch import save_file
from torch import Tensor

from donorgrid.core.digests import canonical_json
from donorgrid.core.errors import InputError, RunFailure
from donorgrid.core.records import Recipe
from donorgrid.models.loading import Base
from donorgrid.models.peft_quirks import quiet_deprecations
from donorgrid.train.loop import Corpus, Epoch, Fitted, fit
from donorgrid.train.stack import Layout, Stack, flatten

TRAIN_LOG = "train_log.jsonl"


@dataclass(frozen=True, kw_only=True)
class Trained:
    """A trained adapter: its log, and how to write it into a folder in PEFT's format with the log beside it.

    ``checkpoints`` are the adapter after so many epochs, each with the log up to there.
    """

    log: tuple[Epoch, ...]
    save: Callable[[Path], None]
    checkpoints: Mapping[float, "Trained"] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class _Start:
    """A fresh adapter: PEFT's configuration with the modules it found, their layout, and the first weights."""

    config: LoraConfig
    layout: Layout
    values: Tensor


def train_lora(base: Base, corpus: Corpus, recipe: Recipe, *, train_seed: int, keep: Callable[[Trained], None]) -> None:
    """Train one adapter on the resident base and hand it to ``keep``.

    The base's own weights are never touched, and no trace of the adapter stays in it, whatever happens.
    Raises InputError when the target modules are not in the model, RunFailure when training diverges.
    """
    (result,) = train_together(base, [corpus], recipe, train_seeds=[train_seed])
    if isinstance(result, RunFailure):
        raise result
    keep(result)


def train_together(
    base: Base,
    corpora: Sequence[Corpus],
    recipe: Recipe,
    *,
    train_seeds: Sequence[int],
    checkpoints: Sequence[float] = (),
) -> list[Trained | RunFailure]:
    """Train several adapters at once, each as if alone: one result per corpus and seed, a failure where one diverged.

    ``checkpoints`` (``loop.fit``) are epochs after which the adapter is kept too.

    Raises InputError when the target modules are not in the model, or for several adapters with dropout (their random
    draws would depend on their neighbours).
    """
    if recipe.dropout and len(corpora) > 1:
        raise InputError(f"recipe '{recipe.name}': with dropout {recipe.dropout} adapters are trained one at a time")
    with torch.random.fork_rng(devices=[base.device] if base.device.type == "cuda" else []):
        starts = [_start(base, recipe, train_seed) for train_seed in train_seeds]
        stack = Stack(starts[0].layout, torch.stack([start.values for start in starts]))
        fitted = fit(base.reader, stack, corpora, recipe, train_seeds=train_seeds, checkpoints=checkpoints)
    return [one if isinstance(one, RunFailure) else _trained(starts[0], one) for one in fitted]


def _start(base: Base, recipe: Recipe, train_seed: int) -> _Start:
    """Let PEFT put an adapter on the base, take its weights, and take it off again."""
    torch.manual_seed(train_seed)
    adapted = _attach(base.network, recipe)
    try:
        layers = {name: module for name, module in base.network.named_modules() if isinstance(module, LoraLayer)}
        for name, layer in layers.items():
            if "default" not in layer.lora_A:
                raise InputError(f"recipe '{recipe.name}': target_modules: '{name}' is no linear module")
        weights = {
            name: (layer.lora_A["default"].weight, layer.lora_B["default"].weight) for name, layer in layers.items()
        }
        layout = Layout(
            shapes={name: (tuple(a.shape), tuple(b.shape)) for name, (a, b) in weights.items()},
            scaling=next(iter(layers.values())).scaling["default"],
            dropout=recipe.dropout,
        )
        return _Start(config=adapted.peft_config["default"], layout=layout, values=flatten(weights))
    finally:
        adapted.unload()


def _attach(network: Any, recipe: Recipe) -> Any:
    if recipe.method not in ("lora", "rslora"):
        raise InputError(f"recipe '{recipe.name}': method '{recipe.method}' is not trained; allowed are lora, rslora")
    modules = recipe.target_modules
    config = LoraConfig(
        r=recipe.rank,
        lora_alpha=recipe.alpha,
        lora_dropout=recipe.dropout,
        use_rslora=recipe.method == "rslora",
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
    """For a model of several parts, a pattern of all modules that are not its language model (a vision tower's)."""
    decoder = network.get_decoder()
    if decoder is network.base_model:
        return None
    name = next(name for name, module in network.named_modules() if module is decoder)
    return rf"(?!{re.escape(name)}\.).*"


def _trained(start: _Start, fitted: Fitted) -> Trained:
    return Trained(
        log=fitted.log,
        save=lambda folder: _save(start, fitted, folder),
        checkpoints={epochs: _trained(start, one) for epochs, one in fitted.at_checkpoints().items()},
    )


def _save(start: _Start, fitted: Fitted, folder: Path) -> None:
    """Write PEFT's two files, and the log. The modules are sorted: PEFT keeps them in a set."""
    config = replace(start.config, inference_mode=True)
    config.save_pretrained(folder)
    written = folder / "adapter_config.json"
    content = json.loads(written.read_text(encoding="utf-8"))
    if isinstance(content["target_modules"], list):
        content["target_modules"].sort()
    written.write_text(json.dumps(content, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    tensors = {}
    for name, pair in start.layout.split(fitted.values[None].cpu()).items():
        for letter, one in zip("AB", pair, strict=True):
            tensors[f"base_model.model.{name}.lora_{letter}.weight"] = one[0].contiguous()
    save_file(tensors, folder / "adapter_model.safetensors", metadata={"format": "pt"})
    lines = [canonical_json(asdict(epoch)) + "\n" for epoch in fitted.log]
    (folder / TRAIN_LOG).write_text("".join(lines), encoding="utf-8")
