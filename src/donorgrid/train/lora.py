"""LoRA in PEFT's terms: PEFT chooses the modules and draws the first weights, and can read what is saved.

In between, our own loop trains the adapters, several at once where that pays.
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
from donorgrid.train.attaching import ADAPTER_NAME, new_adapter, preserved_random_state, save_config
from donorgrid.train.encode import Corpus
from donorgrid.train.loop import fit
from donorgrid.train.progress import FitResult
from donorgrid.train.result import TrainedWeights, trained_weights
from donorgrid.train.stacked_adapters import AdapterLayout, StackedAdapters


@dataclass(frozen=True, kw_only=True)
class _NewAdapter:
    """PEFT's configuration with the modules that it chose, their layout, and the first weights (n_parameters,)."""

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
    """Trains one LoRA adapter per corpus and seed, all at once, each as if alone. The base's weights never change.

    Parameters
    ----------
    base
        The resident base model.
    corpora
        The encoded texts of each run.
    recipe
        The method's settings.
    train_seeds
        For each run, the seed of its first weights and of the order of its texts.
    checkpoints
        Epochs (also fractions, above 0 and at most the recipe's) after which the weights are kept too.

    Returns
    -------
    list
        The adapters; a RunFailure where a training diverged.

    Raises
    ------
    InputError
        The target modules are not in the model, or there are several adapters with dropout (their random draws would
        depend on each other).
    """
    if recipe.dropout and len(corpora) > 1:
        raise InputError(f"recipe '{recipe.name}': with dropout {recipe.dropout} adapters are trained one at a time")
    with preserved_random_state(base):
        adapters = [_new_adapter(base, recipe, train_seed) for train_seed in train_seeds]
        stack = StackedAdapters(adapters[0].layout, torch.stack([adapter.values for adapter in adapters]))
        results = fit(base.reader, stack, corpora, recipe, train_seeds=train_seeds, checkpoints=checkpoints)

    def save(result: FitResult, folder: Path) -> None:
        _save(adapters[0], result, folder)

    return [result if isinstance(result, RunFailure) else trained_weights(result, save) for result in results]


def _new_adapter(base: Base, recipe: Recipe, train_seed: int) -> _NewAdapter:
    """Lets PEFT put an adapter on the base, takes its weights, and takes it off again."""
    with new_adapter(base, recipe, train_seed=train_seed) as (config, layers):
        weights = {
            name: (layer.lora_A[ADAPTER_NAME].weight, layer.lora_B[ADAPTER_NAME].weight)
            for name, layer in layers.items()
        }
        layout = AdapterLayout(
            shapes={name: (tuple(a.shape), tuple(b.shape)) for name, (a, b) in weights.items()},
            scaling=next(iter(layers.values())).scaling[ADAPTER_NAME],
            dropout=recipe.dropout,
        )
        return _NewAdapter(config=config, layout=layout, values=join_factors(weights))


def _save(adapter: _NewAdapter, result: FitResult, folder: Path) -> None:
    save_config(adapter.config, folder)
    tensors = {}
    for module, factors in adapter.layout.split(result.values[None].cpu()).items():
        for name, factor in zip((LORA_A, LORA_B), factors, strict=True):
            tensors[tensor_key(module, name)] = factor[0].contiguous()
    save_file(tensors, folder / ADAPTER_WEIGHTS, metadata={"format": "pt"})
