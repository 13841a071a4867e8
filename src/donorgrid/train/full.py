"""Full fine-tuning: every weight of the language model is trained, in float32, and the base comes back afterwards.

The optimizer changes float32 master weights. The network computes with them rounded to the recipe's precision, and its
gradients are added up in that precision (mixed precision with master weights: Micikevicius et al. 2018, arXiv
1710.03740). In fp32 the two are the same, and the training is that of transformers' Trainer. Weight decay applies to
all weights, as in ``torch.optim.AdamW``; Trainer spares norms and biases.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from donorgrid.core.errors import InputError, RunFailure
from donorgrid.core.records import Recipe
from donorgrid.models.checkpoints import save_checkpoint
from donorgrid.models.loading import Base
from donorgrid.models.weight_backup import WeightBackup
from donorgrid.train.encode import Corpus
from donorgrid.train.loop import fit
from donorgrid.train.network_parameters import NetworkParameters, flatten_tensors, split_values
from donorgrid.train.progress import FitResult
from donorgrid.train.result import TrainedWeights, trained_weights


def train_full(
    base: Base, corpus: Corpus, recipe: Recipe, *, train_seed: int, checkpoints: Sequence[float] = ()
) -> TrainedWeights | RunFailure:
    """Trains all weights of the base's language model; the base's former weights are back afterwards, bit for bit.

    A vision tower is not trained. A tied head stays tied to its embedding.

    Parameters
    ----------
    base
        The resident base model.
    corpus
        The encoded texts of the run.
    recipe
        The method's settings.
    train_seed
        The seed of the order of the texts.
    checkpoints
        Epochs (also fractions, above 0 and at most the recipe's) after which the weights are kept too.

    Returns
    -------
    TrainedWeights or RunFailure
        The weights, saved as a whole checkpoint, or the failure of a training that diverged.

    Raises
    ------
    InputError
        The base is in 4 bit.
    """
    if base.is_quantised:
        raise InputError(f"recipe '{recipe.name}': method 'full' cannot train a base model in 4 bit; 'lora' can")
    names = _language_weights(base.network)
    with _changeable(base, names) as weights:
        values = flatten_tensors(weights)
        start = values.clone() if recipe.l2_sp else values
        trainable = NetworkParameters(
            values, weights, lambda: _copy_into(weights, values[0]), change_gradients=lambda: values - start
        )
        (result,) = fit(base.reader, trainable, [corpus], recipe, train_seeds=[train_seed], checkpoints=checkpoints)
    if isinstance(result, RunFailure):
        return result

    def save(part: FitResult, folder: Path) -> None:
        with _changeable(base, names) as weights:
            _copy_into(weights, part.values.to(base.device))
            save_checkpoint(base.network, base.folder.tokenizer_path, folder)

    return trained_weights(result, save)


def _language_weights(network: Any) -> list[str]:
    """The names of the decoder's and the head's weights; a tied head is the embedding, and counts once."""
    parts = (network.get_decoder(), network.get_output_embeddings())
    trained_ids = {id(weight) for part in parts for weight in part.parameters()}
    return [name for name, weight in network.named_parameters() if id(weight) in trained_ids]


@contextmanager
def _changeable(base: Base, names: Sequence[str]) -> Iterator[dict[str, Tensor]]:
    """While the body runs, these weights of the base may change and give gradients; then they are restored."""
    backup = WeightBackup(base.network)
    weights = {name: backup.back_up(name) for name in names}
    try:
        for weight in weights.values():
            weight.requires_grad_(True)
        yield weights
    finally:
        for weight in weights.values():
            weight.requires_grad_(False)
        backup.restore()


def _copy_into(weights: Mapping[str, Tensor], values: Tensor) -> None:
    with torch.no_grad():
        for name, part in split_values(values, {name: tuple(weight.shape) for name, weight in weights.items()}).items():
            weights[name].copy_(part)
