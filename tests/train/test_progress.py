"""The adapter along its training: what is kept at a checkpoint is what a shorter training would have given."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from donorgrid.core.errors import RunFailure
from donorgrid.core.records import Recipe
from donorgrid.models.loading import Base
from donorgrid.train.encode import Corpus, EncodedText
from donorgrid.train.methods import train_runs
from donorgrid.train.result import TrainedWeights

Texts = Callable[..., tuple[EncodedText, ...]]
RECIPE = Recipe(
    name="level",
    rank=4,
    alpha=8.0,
    epochs=3,
    batch_size=4,
    learning_rate=0.01,
    schedule="constant",
    warmup_share=0.0,
    target_modules="all-linear",
)


def trained(base: Base, corpora: list[Corpus], recipe: Recipe, *checkpoints: float) -> list[TrainedWeights]:
    seeds = tuple(range(1, 1 + len(corpora)))
    results = train_runs(base, corpora, recipe, train_seeds=seeds, checkpoints=checkpoints)
    assert not any(isinstance(result, RunFailure) for result in results)
    return [result for result in results if isinstance(result, TrainedWeights)]


def weights(trained: TrainedWeights, folder: Path) -> dict[str, torch.Tensor]:
    folder.mkdir()
    trained.save(folder)
    return load_file(folder / "adapter_model.safetensors")


def assert_equal(first: dict[str, torch.Tensor], second: dict[str, torch.Tensor]) -> None:
    assert first.keys() == second.keys()
    assert all(torch.equal(first[name], second[name]) for name in first)


@pytest.fixture
def corpus(texts_of: Texts) -> Corpus:
    return Corpus(train=texts_of(18, seed=0), validation=texts_of(4, seed=9))


@pytest.mark.parametrize("epochs", [1, 2])
def test_checkpoint_is_the_end_of_a_shorter_training(llama: Base, corpus: Corpus, tmp_path: Path, epochs: int) -> None:
    without_choice = replace(corpus, validation=())
    (long,) = trained(llama, [corpus], RECIPE, 1, 2)
    (short,) = trained(llama, [without_choice], replace(RECIPE, epochs=epochs))
    assert_equal(weights(long.checkpoints[epochs], tmp_path / "long"), weights(short, tmp_path / "short"))
    assert [epoch.epoch for epoch in long.checkpoints[epochs].log] == list(range(1, epochs + 1))


def test_keeping_checkpoints_changes_nothing(llama: Base, corpus: Corpus, tmp_path: Path) -> None:
    (kept,) = trained(llama, [corpus], RECIPE, 0.3, 1, 3)
    (plain,) = trained(llama, [corpus], RECIPE)
    assert_equal(weights(kept, tmp_path / "kept"), weights(plain, tmp_path / "plain"))
    assert kept.log == plain.log
    assert not plain.checkpoints


def test_part_of_an_epoch_ends_with_the_step_that_completes_it(llama: Base, corpus: Corpus, tmp_path: Path) -> None:
    """Five steps an epoch: 0.3 epochs are one and a half, so two."""
    (result,) = trained(llama, [corpus], RECIPE, 0.2, 0.3, 0.4, 1)
    saved = {epochs: weights(part, tmp_path / str(epochs)) for epochs, part in result.checkpoints.items()}
    assert list(saved) == [0.2, 0.3, 0.4, 1]
    assert_equal(saved[0.3], saved[0.4])
    assert not torch.equal(*(next(iter(saved[epochs].values())) for epochs in (0.2, 0.4)))
    assert not result.checkpoints[0.4].log


def test_each_of_several_trainings_keeps_its_checkpoints(
    llama: Base, corpus: Corpus, texts_of: Texts, tmp_path: Path
) -> None:
    short = Corpus(train=texts_of(7, seed=3), validation=texts_of(3, seed=8))
    together = trained(llama, [corpus, short], RECIPE, 1, 3)
    (alone,) = trained(llama, [corpus], RECIPE, 1, 3)
    for epochs in (1, 3):
        ours = weights(together[0].checkpoints[epochs], tmp_path / f"together{epochs}")
        theirs = weights(alone.checkpoints[epochs], tmp_path / f"alone{epochs}")
        assert all((ours[name] - value).norm() <= 1e-4 * value.norm() for name, value in theirs.items())
        assert list(together[1].checkpoints) == [1, 3]
