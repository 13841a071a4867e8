"""Training through its one entry: several runs at once, each as if it were alone; failures; short memory."""

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from donorgrid.core.errors import InputError, RunFailure
from donorgrid.core.records import Recipe
from donorgrid.models.fast_cpu.layers import LayerPass
from donorgrid.models.loading import Base
from donorgrid.train.encode import Corpus, EncodedText
from donorgrid.train.methods import train_runs
from donorgrid.train.result import TrainedWeights

Load = Callable[[str], Base]
Texts = Callable[..., tuple[EncodedText, ...]]
RECIPE = Recipe(
    name="tiny",
    rank=4,
    alpha=8.0,
    epochs=3,
    batch_size=4,
    learning_rate=0.01,
    weight_decay=0.01,
    target_modules="all-linear",
)
SEEDS = (17, 42, 101, 17)


def weights(trained: TrainedWeights | RunFailure, folder: Path) -> dict[str, torch.Tensor]:
    assert isinstance(trained, TrainedWeights)
    folder.mkdir()
    trained.save(folder)
    return load_file(folder / "adapter_model.safetensors")


def corpora(texts_of: Texts) -> list[Corpus]:
    """Unequal sizes: 5, 2, 4 and 5 steps an epoch; the first and the last share texts but not everything else."""
    sizes = (18, 7, 13, 18)
    return [
        Corpus(train=texts_of(size, seed=seed), validation=texts_of(3 + seed, seed=50 + seed))
        for seed, size in enumerate(sizes)
    ]


def assert_same(ours: dict[str, torch.Tensor], alone: dict[str, torch.Tensor]) -> None:
    for name, value in alone.items():
        assert (ours[name] - value).norm() <= 1e-4 * value.norm()


@pytest.mark.parametrize("kind", ["llama", "gemma3", "gpt-neox"])
def test_each_adapter_is_the_one_that_is_trained_alone(load: Load, texts_of: Texts, tmp_path: Path, kind: str) -> None:
    base, many = load(kind), corpora(texts_of)
    together = train_runs(base, many, RECIPE, train_seeds=SEEDS)
    for index, (corpus, seed) in enumerate(zip(many, SEEDS, strict=True)):
        (alone,) = train_runs(base, [corpus], RECIPE, train_seeds=[seed])
        assert_same(weights(together[index], tmp_path / f"{index}"), weights(alone, tmp_path / f"{index}-alone"))
        assert [epoch.best for epoch in together[index].log] == [epoch.best for epoch in alone.log]
        assert [epoch.n_steps for epoch in together[index].log] == [epoch.n_steps for epoch in alone.log]


def test_one_diverges_and_the_others_do_not_notice(load: Load, texts_of: Texts, tmp_path: Path) -> None:
    base, many = load("llama"), corpora(texts_of)
    with torch.no_grad():
        base.network.get_input_embeddings().weight[301] = torch.nan  # a token that no other text has
    poison = tuple(EncodedText((20, 301, 22, 23, 24, 25, 26, 27), (False,) * 7 + (True,)) for _ in range(6))
    many[1] = Corpus(train=(*many[1].train[:3], *poison), validation=many[1].validation)
    together = train_runs(base, many, RECIPE, train_seeds=SEEDS)
    assert isinstance(together[1], RunFailure)
    assert "diverged in epoch 1" in str(together[1])
    (alone,) = train_runs(base, many[2:3], RECIPE, train_seeds=SEEDS[2:3])
    assert_same(weights(together[2], tmp_path / "together"), weights(alone, tmp_path / "alone"))


def test_base_keeps_no_trace(load: Load, texts_of: Texts) -> None:
    base = load("llama")
    weights_before = {name: value.clone() for name, value in base.network.state_dict().items()}
    train_runs(base, corpora(texts_of), RECIPE, train_seeds=SEEDS)
    assert not any(module._forward_hooks for module in base.network.modules())
    weights_after = base.network.state_dict()
    assert weights_before.keys() == weights_after.keys()
    assert all(torch.equal(weights_before[name], weights_after[name]) for name in weights_before)


def interrupted(base: Base, monkeypatch: pytest.MonkeyPatch, failing: set[int]) -> None:
    """From now on the forward passes of these numbers run out of memory."""
    embedding, calls = base.network.get_input_embeddings(), []
    forward = embedding.forward

    def sometimes(*args: Any, **kwargs: Any) -> Any:
        calls.append(1)
        if len(calls) in failing:
            raise torch.OutOfMemoryError("no memory")
        return forward(*args, **kwargs)

    monkeypatch.setattr(embedding, "forward", sometimes)


@pytest.mark.parametrize("failing", [{1}, {4}, {6, 8}, {2, 3, 30}])
def test_out_of_memory_changes_nothing(
    load: Load, texts_of: Texts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failing: set[int], caplog: Any
) -> None:
    base, many = load("llama"), corpora(texts_of)
    undisturbed = train_runs(base, many, RECIPE, train_seeds=SEEDS)
    interrupted(base, monkeypatch, failing)
    with caplog.at_level(logging.WARNING, "donorgrid"):
        disturbed = train_runs(base, many, RECIPE, train_seeds=SEEDS)
    assert "out of memory" in caplog.text
    for index in range(len(many)):
        ours, theirs = (
            weights(disturbed[index], tmp_path / f"{index}"),
            weights(undisturbed[index], tmp_path / f"u{index}"),
        )
        assert_same(ours, theirs)


def test_out_of_memory_in_the_gradients_changes_nothing(
    load: Load, texts_of: Texts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: Any
) -> None:
    """The first layer that is of the fast decoder's backward pass runs out of memory, twice."""
    base, alone = load("llama"), corpora(texts_of)[:1]
    (undisturbed,) = train_runs(base, alone, RECIPE, train_seeds=[17])
    backward, calls = LayerPass.backward, []

    def sometimes(*args: Any, **kwargs: Any) -> Any:
        calls.append(1)
        if len(calls) in {1, 6}:
            raise torch.OutOfMemoryError("no memory")
        return backward(*args, **kwargs)

    monkeypatch.setattr(LayerPass, "backward", sometimes)
    with caplog.at_level(logging.WARNING, "donorgrid"):
        (disturbed,) = train_runs(base, alone, RECIPE, train_seeds=[17])
    assert "each batch in 4 pieces" in caplog.text
    assert_same(weights(disturbed, tmp_path / "disturbed"), weights(undisturbed, tmp_path / "undisturbed"))


def test_memory_that_is_never_enough_is_an_error(load: Load, texts_of: Texts, monkeypatch: pytest.MonkeyPatch) -> None:
    base = load("llama")
    base.reader.check([text.token_ids for text in texts_of(18)])
    interrupted(base, monkeypatch, set(range(1, 100)))
    with pytest.raises(torch.OutOfMemoryError):
        train_runs(base, corpora(texts_of)[:1], RECIPE, train_seeds=[17])


def test_model_that_cannot_pack_trains_on_rows_of_one_text(load: Load, texts_of: Texts, tmp_path: Path) -> None:
    corpus = corpora(texts_of)[0]
    (packed,) = train_runs(load("llama"), [corpus], RECIPE, train_seeds=[17])
    base = load("llama")
    handle = (
        base.network.get_decoder()
        .layers[0]
        .register_forward_pre_hook(lambda _, args: (args[0] + args[0].roll(1, dims=1), *args[1:]))
    )
    base.reader.check([text.token_ids for text in corpus.train])
    handle.remove()
    assert not base.reader.can_pack
    (apart,) = train_runs(base, [corpus], RECIPE, train_seeds=[17])
    assert_same(weights(apart, tmp_path / "apart"), weights(packed, tmp_path / "packed"))


def test_dropout_is_for_adapters_that_train_alone(load: Load, texts_of: Texts) -> None:
    dropping = Recipe(name="drops", rank=4, epochs=1, dropout=0.5, learning_rate=0.01, precision="fp32")
    base, many = load("llama"), corpora(texts_of)[:2]
    with pytest.raises(InputError, match=r"recipe 'drops': with dropout 0\.5 adapters are trained one at a time"):
        train_runs(base, many, dropping, train_seeds=[1, 2])
    (dropped,) = train_runs(base, many[:1], dropping, train_seeds=[1])
    (kept,) = train_runs(base, many[:1], RECIPE, train_seeds=[1])
    assert isinstance(dropped, TrainedWeights)
    assert isinstance(kept, TrainedWeights)
    assert dropped.log[0].train_loss != kept.log[0].train_loss
