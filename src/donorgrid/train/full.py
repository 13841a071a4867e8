"""Full fine-tuning: every weight of the language model is trained, in float32, and the base comes back afterwards.

The optimiser changes float32 master weights; the network computes with them rounded to the recipe's precision, and its
gradients are added up in that precision (mixed precision with master weights: Micikevicius et al. 2018, arXiv
1710.03740). In fp32 the two are the same, and the training is that of transformers' Trainer. Weight decay is for all
weights, as in ``torch.optim.AdamW``; Trainer spares norms and biases.
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
from donorgrid.train.loop import Corpus, FitResult, fit
from donorgrid.train.network_parameters import NetworkParameters, flat, split
from donorgrid.train.result import TrainedWeights, trained


def train_full(
    base: Base, corpus: Corpus, recipe: Recipe, *, train_seed: int, checkpoints: Sequence[float] = ()
) -> TrainedWeights | RunFailure:
    """Train all weights of the base's language model; the failure where it diverged.

    A vision tower is not trained, and tied heads stay tied. The base's own weights are back afterwards, bit for bit,
    whatever happens. ``checkpoints`` (``loop.fit``) are epochs after which the weights are kept too.
    Raises InputError for a base whose weights are not its own numbers (4 bit).
    """
    if base.is_quantised:
        raise InputError(f"recipe '{recipe.name}': method 'full' cannot train a base model in 4 bit; 'lora' can")
    names = _language_weights(base.network)
    with _lent(base, names) as leaves:
        values = flat(leaves)
        alone = NetworkParameters(values, leaves, lambda: _put(values[0], leaves))
        (fitted,) = fit(base.reader, alone, [corpus], recipe, train_seeds=[train_seed], checkpoints=checkpoints)
    if isinstance(fitted, RunFailure):
        return fitted

    def save(one: FitResult, folder: Path) -> None:
        with _lent(base, names) as own:
            _put(one.values.to(base.device), own)
            save_checkpoint(base.network, base.folder.path, folder)

    return trained(fitted, save)


def _language_weights(network: Any) -> list[str]:
    """The names of the decoder's and the head's weights; a tied head is the embedding, and counts once."""
    parts = (network.get_decoder(), network.get_output_embeddings())
    own = {id(weight) for part in parts for weight in part.parameters()}
    return [name for name, weight in network.named_parameters() if id(weight) in own]


@contextmanager
def _lent(base: Base, names: Sequence[str]) -> Iterator[dict[str, Tensor]]:
    """While the body runs these weights of the base may be changed and give gradients; then they are what they were."""
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


def _put(values: Tensor, weights: Mapping[str, Tensor]) -> None:
    with torch.no_grad():
        for name, part in split(values, {name: tuple(weight.shape) for name, weight in weights.items()}).items():
            weights[name].copy_(part)
