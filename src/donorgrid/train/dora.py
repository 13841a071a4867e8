"""DoRA (Liu et al. 2024, arXiv 2402.09353): the size and the direction of each row of a weight are trained apart.

PEFT's own module computes, so that what is trained is what PEFT reads; our loop trains it, one adapter at a time.
"""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from peft.tuners.lora import LoraLayer
from safetensors.torch import save_file
from torch import Tensor
from torch.nn import Parameter

from donorgrid.core.errors import RunFailure
from donorgrid.core.records import Recipe
from donorgrid.models.adapter_files import ADAPTER_WEIGHTS, LORA_A, LORA_B, MAGNITUDE, tensor_key
from donorgrid.models.loading import Base
from donorgrid.train.attaching import ADAPTER_NAME, new_adapter, preserved_random_state, save_config
from donorgrid.train.encode import Corpus
from donorgrid.train.loop import fit
from donorgrid.train.network_parameters import NetworkParameters, flatten_tensors, split_values
from donorgrid.train.progress import FitResult
from donorgrid.train.result import TrainedWeights, trained_weights


def train_dora(
    base: Base, corpus: Corpus, recipe: Recipe, *, train_seed: int, checkpoints: Sequence[float] = ()
) -> TrainedWeights | RunFailure:
    """Trains one DoRA adapter. The base's weights never change, and PEFT's modules are taken off it, whatever happens.

    Parameters
    ----------
    base
        The resident base model.
    corpus
        The encoded texts of the run.
    recipe
        The method's settings.
    train_seed
        The seed of the first weights and of the order of the texts.
    checkpoints
        Epochs (also fractions, above 0 and at most the recipe's) after which the weights are kept too.

    Returns
    -------
    TrainedWeights or RunFailure
        The adapter, or the failure of a training that diverged.

    Raises
    ------
    InputError
        The target modules are not in the model.
    """
    # The reader is checked without the adapter: its result also holds for scoring.
    base.reader.check([text.token_ids for text in (*corpus.train, *corpus.validation)])
    with preserved_random_state(base), new_adapter(base, recipe, train_seed=train_seed) as (config, layers):
        parameters = _parameters(layers)
        shapes = {key: tuple(parameter.shape) for key, parameter in parameters.items()}
        values = flatten_tensors(parameters)
        for key, part in split_values(values[0], shapes).items():
            parameters[key].data = part
        trainable = NetworkParameters(
            values, parameters, lambda: _set_dropout(layers.values()), change_gradients=lambda: change_gradients(layers)
        )
        (result,) = fit(base.reader, trainable, [corpus], recipe, train_seeds=[train_seed], checkpoints=checkpoints)
    if isinstance(result, RunFailure):
        return result

    def save(part: FitResult, folder: Path) -> None:
        save_config(config, folder)
        tensors = {key: tensor.contiguous() for key, tensor in split_values(part.values.cpu(), shapes).items()}
        save_file(tensors, folder / ADAPTER_WEIGHTS, metadata={"format": "pt"})

    return trained_weights(result, save)


def _parameters(layers: dict[str, LoraLayer]) -> dict[str, Parameter]:
    """The trained parameters, by the keys under which PEFT saves them."""
    parameters = {}
    for module, layer in layers.items():
        parameters[tensor_key(module, LORA_A)] = layer.lora_A[ADAPTER_NAME].weight
        parameters[tensor_key(module, LORA_B)] = layer.lora_B[ADAPTER_NAME].weight
        parameters[tensor_key(module, MAGNITUDE)] = layer.lora_magnitude_vector[ADAPTER_NAME].weight
    return parameters


def change_gradients(layers: Mapping[str, LoraLayer]) -> Tensor:
    """The gradients of ½ ‖W' - W0‖², with W' = magnitude (W0 + scaling B A) / ‖W0 + scaling B A‖ row by row.

    Parameters
    ----------
    layers
        PEFT's modules by name.

    Returns
    -------
    Tensor
        (1, n_parameters) in the order of the trained parameters. The norm is part of the gradient.
    """
    gradients: list[Tensor] = []
    for layer in layers.values():
        a, b = (factors[ADAPTER_NAME].weight for factors in (layer.lora_A, layer.lora_B))
        magnitude, base = layer.lora_magnitude_vector[ADAPTER_NAME].weight, layer.get_base_layer().weight.float()
        with torch.enable_grad():
            changed = base + layer.scaling[ADAPTER_NAME] * (b @ a)
            change = magnitude[:, None] * changed / changed.norm(dim=1, keepdim=True) - base
            gradients += torch.autograd.grad(0.5 * (change**2).sum(), (a, b, magnitude))
    return torch.cat([gradient.flatten() for gradient in gradients])[None]


def _set_dropout(layers: Iterable[Any]) -> None:
    """Turns PEFT's dropout on for passes with gradients, and off for others."""
    for layer in layers:
        layer.train(torch.is_grad_enabled())
