"""One way in for every method of fine-tuning that a recipe may name."""

from collections.abc import Sequence

from donorgrid.core.errors import InputError, RunFailure
from donorgrid.core.records import Recipe
from donorgrid.models.loading import Base
from donorgrid.train.dora import train_dora
from donorgrid.train.full import train_full
from donorgrid.train.loop import Corpus
from donorgrid.train.lora import train_lora
from donorgrid.train.result import TrainedWeights

_ALONE = {"dora": train_dora, "full": train_full}


def train_runs(
    base: Base,
    corpora: Sequence[Corpus],
    recipe: Recipe,
    *,
    train_seeds: Sequence[int],
    checkpoints: Sequence[float] = (),
) -> list[TrainedWeights | RunFailure]:
    """Train by the recipe's method, one run per corpus and seed: the result of each, a failure where one diverged.

    ``checkpoints`` (``loop.fit``) are epochs after which the result is kept too.
    Raises InputError when the target modules are not in the model, and for several runs of a recipe that
    ``trains_alone``.
    """
    train = _ALONE.get(recipe.method)
    if train is None:
        return train_lora(base, corpora, recipe, train_seeds=train_seeds, checkpoints=checkpoints)
    if len(corpora) > 1:
        raise InputError(f"recipe '{recipe.name}': with method '{recipe.method}' adapters are trained one at a time")
    ((corpus, train_seed),) = zip(corpora, train_seeds, strict=True)
    return [train(base, corpus, recipe, train_seed=train_seed, checkpoints=checkpoints)]
