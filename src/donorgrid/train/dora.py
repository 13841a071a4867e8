"""DoRA (Liu et al. 2024, arXiv 2402.09353): the size and the direction of each row of a weight are trained apart.

PEFT's own module computes, so that what is trained is what PEFT reads; our loop trains it, one adapter at a time.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import torch
from peft.tuners.lora import LoraLayer
from safetensors.torch import save_file
from torch.nn import Parameter

from donorgrid.core.errors import RunFailure
from donorgrid.core.records import Recipe
from donorgrid.models.adapter_files import ADAPTER_WEIGHTS, LORA_A, LORA_B, MAGNITUDE, tensor_key
from donorgrid.models.loading import Base
from donorgrid.train.attaching import attached, own_random_draws, save_config
from donorgrid.train.loop import Corpus, FitResult, fit
from donorgrid.train.network_parameters import NetworkParameters, flat, split
from donorgrid.train.result import TrainedWeights, trained


def train_dora(
    base: Base, corpus: Corpus, recipe: Recipe, *, train_seed: int, checkpoints: Sequence[float] = ()
) -> TrainedWeights | RunFailure:
    """Train one adapter on the resident base; the failure where it diverged.

    The base's own weights are never touched, and no trace of the adapter stays in it, whatever happens.
    ``checkpoints`` (``loop.fit``) are epochs after which the adapter is kept too.
    Raises InputError when the target modules are not in the model.
    """
    # Looked at without the adapter: what the reader finds out is for the scoring too.
    base.reader.check([text.token_ids for text in (*corpus.train, *corpus.validation)])
    with own_random_draws(base), attached(base, recipe, train_seed=train_seed) as (config, layers):
        leaves = _leaves(layers)
        shapes = {name: tuple(leaf.shape) for name, leaf in leaves.items()}
        values = flat(leaves)
        for name, part in split(values[0], shapes).items():
            leaves[name].data = part
        alone = NetworkParameters(values, leaves, lambda: _drop_while_learning(layers.values()))
        (fitted,) = fit(base.reader, alone, [corpus], recipe, train_seeds=[train_seed], checkpoints=checkpoints)
    if isinstance(fitted, RunFailure):
        return fitted

    def save(one: FitResult, folder: Path) -> None:
        save_config(config, folder)
        tensors = {name: part.contiguous() for name, part in split(one.values.cpu(), shapes).items()}
        save_file(tensors, folder / ADAPTER_WEIGHTS, metadata={"format": "pt"})

    return trained(fitted, save)


def _leaves(layers: dict[str, LoraLayer]) -> dict[str, Parameter]:
    """What is trained, by the names under which PEFT saves it."""
    leaves = {}
    for name, layer in layers.items():
        leaves[tensor_key(name, LORA_A)] = layer.lora_A["default"].weight
        leaves[tensor_key(name, LORA_B)] = layer.lora_B["default"].weight
        leaves[tensor_key(name, MAGNITUDE)] = layer.lora_magnitude_vector["default"].weight
    return leaves


def _drop_while_learning(layers: Iterable[Any]) -> None:
    """Dropout is for the passes that gradients come from."""
    for layer in layers:
        layer.train(torch.is_grad_enabled())
