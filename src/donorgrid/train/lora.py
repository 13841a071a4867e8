"""LoRA in PEFT's terms: PEFT chooses the modules and draws the first weights, and can read what is saved.

In between the adapters are trained by our own loop, several at once where that pays.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from peft import LoraConfig
from safetensors.torch import save_file
from torch import Tensor

from donorgrid.core.errors import InputError, RunFailure
from donorgrid.core.records import Recipe
from donorgrid.models.adapter_files import ADAPTER_WEIGHTS, LORA_A, LORA_B, tensor_key
from donorgrid.models.loading import Base
from donorgrid.models.low_rank import join_factors
from donorgrid.train.attaching import attached, own_random_draws, save_config
from donorgrid.train.loop import Corpus, FitResult, fit
from donorgrid.train.result import TrainedWeights, trained
from donorgrid.train.stacked_adapters import AdapterLayout, StackedAdapters


@dataclass(frozen=True, kw_only=True)
class _Start:
    """A fresh adapter: PEFT's configuration with the modules it found, their layout, and the first weights."""

    config: LoraConfig
    layout: AdapterLayout
    values: Tensor


def train_lora(
    base: Base,
    corpora: Sequence[Corpus],
    recipe: Recipe,
    *,
    train_seeds: Sequence[int],
    checkpoints: Sequence[float] = (),
) -> list[TrainedWeights | RunFailure]:
    """Train several adapters at once, each as if alone: one result per corpus and seed, a failure where one diverged.

    ``checkpoints`` (``loop.fit``) are epochs after which the adapter is kept too.

    Raises InputError when the target modules are not in the model, or for several adapters with dropout (their random
    draws would depend on their neighbours).
    """
    if recipe.dropout and len(corpora) > 1:
        raise InputError(f"recipe '{recipe.name}': with dropout {recipe.dropout} adapters are trained one at a time")
    with own_random_draws(base):
        starts = [_start(base, recipe, train_seed) for train_seed in train_seeds]
        stack = StackedAdapters(starts[0].layout, torch.stack([start.values for start in starts]))
        fitted = fit(base.reader, stack, corpora, recipe, train_seeds=train_seeds, checkpoints=checkpoints)

    def save(one: FitResult, folder: Path) -> None:
        _save(starts[0], one, folder)

    return [one if isinstance(one, RunFailure) else trained(one, save) for one in fitted]


def _start(base: Base, recipe: Recipe, train_seed: int) -> _Start:
    """Let PEFT put an adapter on the base, take its weights, and take it off again."""
    with attached(base, recipe, train_seed=train_seed) as (config, layers):
        weights = {
            name: (layer.lora_A["default"].weight, layer.lora_B["default"].weight) for name, layer in layers.items()
        }
        layout = AdapterLayout(
            shapes={name: (tuple(a.shape), tuple(b.shape)) for name, (a, b) in weights.items()},
            scaling=next(iter(layers.values())).scaling["default"],
            dropout=recipe.dropout,
        )
        return _Start(config=config, layout=layout, values=join_factors(weights))


def _save(start: _Start, fitted: FitResult, folder: Path) -> None:
    save_config(start.config, folder)
    tensors = {}
    for name, pair in start.layout.split(fitted.values[None].cpu()).items():
        for letter, one in zip((LORA_A, LORA_B), pair, strict=True):
            tensors[tensor_key(name, letter)] = one[0].contiguous()
    save_file(tensors, folder / ADAPTER_WEIGHTS, metadata={"format": "pt"})
