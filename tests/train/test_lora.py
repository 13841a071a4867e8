"""Training an adapter: against HF's Trainer, the epoch it keeps, what it leaves behind."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from peft import LoraConfig, get_peft_model
from safetensors.torch import load_file

from donorgrid.core.errors import InputError, RunFailure
from donorgrid.core.records import Recipe
from donorgrid.models.loading import Base
from donorgrid.train.encode import Corpus, EncodedText
from donorgrid.train.methods import train_runs
from donorgrid.train.progress import Epoch
from trainer_side import train_by_trainer

Load = Callable[[str], Base]
Texts = Callable[..., tuple[EncodedText, ...]]


def recipe(**changes: object) -> Recipe:
    fields = {"rank": 4, "alpha": 8.0, "epochs": 3, "batch_size": 4, "learning_rate": 0.01, "precision": "fp32"}
    return Recipe(name="tiny", **{**fields, **changes})


def trained(
    base: Base, corpus: Corpus, how: Recipe, folder: Path, *, train_seed: int = 17
) -> tuple[dict[str, torch.Tensor], tuple[Epoch, ...]]:
    """The saved weights and the log of one training."""
    (result,) = train_runs(base, [corpus], how, train_seeds=[train_seed])
    if isinstance(result, RunFailure):
        raise result
    folder.mkdir()
    result.save(folder)
    return load_file(folder / "adapter_model.safetensors"), result.log


@pytest.mark.filterwarnings("default")
def test_weights_equal_those_of_hf_trainer(load: Load, texts_of: Texts, tmp_path: Path) -> None:
    texts, how = texts_of(18), recipe()
    ours, log = trained(load("llama"), Corpus(train=texts, validation=()), how, tmp_path / "ours")
    assert [epoch.n_steps for epoch in log] == [5, 5, 5]  # the last batch holds two texts

    network = load("llama").network
    torch.manual_seed(17)
    config = LoraConfig(r=4, lora_alpha=8.0, lora_dropout=0.0, target_modules=list(how.target_modules))
    adapted = get_peft_model(network, config)
    train_by_trainer(adapted, texts, how, tmp_path, train_seed=17)
    theirs = {name.replace(".default", ""): value for name, value in adapted.state_dict().items() if "lora_" in name}
    assert ours.keys() == theirs.keys()
    moved = max((value - theirs[name]).abs().max().item() for name, value in ours.items())
    assert moved < 2e-5 < 0.01 < max(value.abs().max().item() for name, value in ours.items() if "lora_B" in name)


def test_best_epoch_is_restored(load: Load, texts_of: Texts, tmp_path: Path) -> None:
    corpus = Corpus(train=texts_of(18), validation=texts_of(6, seed=1))
    steady = {"schedule": "constant", "warmup_share": 0.0, "learning_rate": 0.02}
    best, log = trained(load("llama"), corpus, recipe(**steady, epochs=6), tmp_path / "best")
    losses = [epoch.validation_loss for epoch in log]
    chosen = losses.index(min(losses)) + 1
    assert 1 <= chosen < 6  # random answers: the later epochs overfit
    short = recipe(**steady, epochs=chosen)
    last, _ = trained(load("llama"), Corpus(train=corpus.train, validation=()), short, tmp_path / "last")
    assert all(torch.equal(best[name], last[name]) for name in best)


def test_earliest_of_tied_epochs_is_the_best(llama: Base, texts_of: Texts, tmp_path: Path) -> None:
    corpus = Corpus(train=texts_of(8), validation=texts_of(4, seed=1))
    _, log = trained(llama, corpus, recipe(learning_rate=1e-30), tmp_path / "tied")
    assert len({epoch.validation_loss for epoch in log}) == 1
    assert [epoch.best for epoch in log] == [True, False, False]


def test_diverged_training_is_a_run_failure_and_leaves_the_base_clean(llama: Base, texts_of: Texts) -> None:
    weights_before = {name: value.clone() for name, value in llama.network.state_dict().items()}
    corpus = Corpus(train=texts_of(8), validation=texts_of(4, seed=1))
    (failure,) = train_runs(llama, [corpus], recipe(learning_rate=1e30), train_seeds=[17])
    assert isinstance(failure, RunFailure)
    assert "diverged in epoch" in str(failure)
    weights_after = llama.network.state_dict()
    assert weights_before.keys() == weights_after.keys()
    assert all(torch.equal(weights_before[name], weights_after[name]) for name in weights_before)


def test_same_seed_gives_the_same_weights_and_another_does_not(llama: Base, texts_of: Texts, tmp_path: Path) -> None:
    corpus = Corpus(train=texts_of(8), validation=())
    first, _ = trained(llama, corpus, recipe(), tmp_path / "first")
    again, _ = trained(llama, corpus, recipe(), tmp_path / "again")
    other, _ = trained(llama, corpus, recipe(), tmp_path / "other", train_seed=18)
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not any(torch.equal(first[name], other[name]) for name in first)


def test_unknown_target_modules_are_one_line(load: Load, texts_of: Texts) -> None:
    corpus = Corpus(train=texts_of(8), validation=())
    with pytest.raises(InputError, match=r"recipe 'tiny': target_modules: Target modules .* not found"):
        train_runs(load("gpt-neox"), [corpus], recipe(), train_seeds=[17])


def test_all_linear_finds_the_modules_of_another_architecture(load: Load, texts_of: Texts, tmp_path: Path) -> None:
    corpus = Corpus(train=texts_of(8), validation=())
    saved, _ = trained(load("gpt-neox"), corpus, recipe(target_modules="all-linear"), tmp_path / "neox")
    modules = {name.split(".layers.0.")[1].rsplit(".", 2)[0] for name in saved if ".layers.0." in name}
    assert modules == {"attention.query_key_value", "attention.dense", "mlp.dense_h_to_4h", "mlp.dense_4h_to_h"}
    assert not any("embed_out" in name for name in saved)


@pytest.mark.parametrize("modules", ["all-linear", ("q_proj", "v_proj")])
def test_vision_tower_is_never_trained(load: Load, texts_of: Texts, tmp_path: Path, modules: object) -> None:
    base = load("gemma3-multimodal")
    assert any("vision_tower" in name and name.endswith("q_proj") for name, _ in base.network.named_modules())
    corpus = Corpus(train=texts_of(8), validation=texts_of(4, seed=1))
    saved, _ = trained(base, corpus, recipe(target_modules=modules), tmp_path / "multimodal")
    assert saved
    assert all(".language_model.layers." in name for name in saved)
