"""The entry to training: one function for every method that a recipe may name."""

from collections.abc import Sequence

from donorgrid.core.errors import InputError, RunFailure
from donorgrid.core.records import Recipe
from donorgrid.models.loading import Base
from donorgrid.train.dora import train_dora
from donorgrid.train.encode import Corpus
from donorgrid.train.full import train_full
from donorgrid.train.lora import train_lora
from donorgrid.train.result import TrainedWeights

_ONE_AT_A_TIME = {"dora": train_dora, "full": train_full}


def train_runs(
    base: Base,
    corpora: Sequence[Corpus],
    recipe: Recipe,
    *,
    train_seeds: Sequence[int],
    checkpoints: Sequence[float] = (),
) -> list[TrainedWeights | RunFailure]:
    """Trains one run per corpus and seed by the recipe's method.

    Parameters
    ----------
    base
        The resident base model. Its weights are the former ones afterwards, bit for bit.
    corpora
        The encoded texts of each run.
    recipe
        The method and its settings.
    train_seeds
        For each run, the seed of its first weights and of the order of its texts.
    checkpoints
        Epochs (also fractions, above 0 and at most the recipe's) after which the weights are kept too.

    Returns
    -------
    list
        The trained weights of each run; a RunFailure where a training diverged.

    Raises
    ------
    InputError
        The target modules are not in the model; or several runs of a recipe that trains one at a time
        (``Recipe.trains_alone``, or LoRA with dropout).

    Examples
    --------
    >>> (result,) = train_runs(base, [corpus], recipe, train_seeds=[17])  # doctest: +SKIP
    >>> result.save(folder)  # doctest: +SKIP
    """
    train = _ONE_AT_A_TIME.get(recipe.method)
    if train is None:
        return train_lora(base, corpora, recipe, train_seeds=train_seeds, checkpoints=checkpoints)
    if len(corpora) > 1:
        raise InputError(f"recipe '{recipe.name}': with method '{recipe.method}' adapters are trained one at a time")
    ((corpus, train_seed),) = zip(corpora, train_seeds, strict=True)
    return [train(base, corpus, recipe, train_seed=train_seed, checkpoints=checkpoints)]
