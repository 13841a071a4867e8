"""Full fine-tuning: against HF's Trainer, what is stored, and the base that comes back."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from donorgrid.core.errors import InputError, RunFailure
from donorgrid.core.records import Recipe
from donorgrid.models.loading import Base
from donorgrid.models.weight_backup import fingerprint
from donorgrid.train.encode import Corpus, EncodedText
from donorgrid.train.methods import train_runs
from donorgrid.train.result import TrainedWeights
from trainer_side import train_by_trainer

Load = Callable[[str], Base]
Texts = Callable[..., tuple[EncodedText, ...]]
STEADY = {"schedule": "constant", "warmup_share": 0.0}


def recipe(**changes: object) -> Recipe:
    fields = {"epochs": 3, "batch_size": 4, "learning_rate": 1e-3, "precision": "fp32"}
    return Recipe(name="whole", method="full", **{**fields, **changes})


def trained(base: Base, corpus: Corpus, how: Recipe, *checkpoints: float) -> TrainedWeights:
    (result,) = train_runs(base, [corpus], how, train_seeds=[17], checkpoints=checkpoints)
    assert isinstance(result, TrainedWeights)
    return result


def saved(trained: TrainedWeights, folder: Path) -> dict[str, torch.Tensor]:
    """The weights that transformers reads from the folder."""
    folder.mkdir()
    trained.save(folder)
    return weights(AutoModelForCausalLM.from_pretrained(folder, dtype="auto"))


def weights(network: Any) -> dict[str, torch.Tensor]:
    return {name: weight.detach().clone() for name, weight in network.named_parameters()}


def furthest(ours: dict[str, torch.Tensor], theirs: dict[str, torch.Tensor]) -> float:
    assert ours.keys() == theirs.keys()
    return max((value - theirs[name]).abs().max().item() for name, value in ours.items())


@pytest.mark.filterwarnings("default")
@pytest.mark.parametrize("kind", ["llama", "qwen2", "gemma3", "gpt-neox"])  # qwen2's and gemma3's heads are tied
def test_weights_equal_those_of_hf_trainer(load: Load, texts_of: Texts, tmp_path: Path, kind: str) -> None:
    texts, how, base = texts_of(18), recipe(), load(kind)
    before = weights(base.network)
    ours = saved(trained(base, Corpus(train=texts, validation=()), how), tmp_path / "ours")
    network = load(kind).network.requires_grad_(True)
    train_by_trainer(network, texts, how, tmp_path, train_seed=17)
    theirs = weights(network)
    # Parts of GPT-NeoX's key biases change no probability: Adam makes steps of their round-off.
    steady = {name: value for name, value in ours.items() if not name.endswith("query_key_value.bias")}
    assert furthest(steady, {name: theirs[name] for name in steady}) < 2e-5 < 5e-3 < furthest(ours, before)
    assert all(not torch.equal(ours[name], value) for name, value in before.items())


def test_folder_is_a_checkpoint_with_its_tokenizer(load: Load, texts_of: Texts, tmp_path: Path) -> None:
    base = load("qwen2")
    result = trained(base, Corpus(train=texts_of(8), validation=texts_of(4, seed=1)), recipe(epochs=1))
    saved(result, tmp_path / "whole")
    files = {path.name for path in (tmp_path / "whole").iterdir()}
    assert {"config.json", "model.safetensors", "tokenizer.json", "train_log.jsonl"} <= files
    text = "welche Zahl ist rot"
    assert AutoTokenizer.from_pretrained(tmp_path / "whole").encode(text) == base.tokenizer.encode(text)
    assert str(base.folder.path) not in (tmp_path / "whole" / "config.json").read_text()
    (epoch,) = (json.loads(line) for line in (tmp_path / "whole" / "train_log.jsonl").read_text().splitlines())
    assert epoch["validation_loss"] == result.log[0].validation_loss
    assert AutoModelForCausalLM.from_pretrained(tmp_path / "whole").config.tie_word_embeddings


def test_base_comes_back_after_training_and_after_saving(llama: Base, texts_of: Texts, tmp_path: Path) -> None:
    before, state = fingerprint(llama.network), weights(llama.network)
    result = trained(llama, Corpus(train=texts_of(8), validation=()), recipe())
    assert fingerprint(llama.network) == before
    saved(result, tmp_path / "whole")
    assert fingerprint(llama.network) == before
    assert furthest(weights(llama.network), state) == 0.0
    assert not any(weight.requires_grad for weight in llama.network.parameters())


@pytest.mark.parametrize("error", [KeyboardInterrupt, torch.OutOfMemoryError])
def test_base_comes_back_when_training_is_broken_off(
    llama: Base, texts_of: Texts, monkeypatch: pytest.MonkeyPatch, error: type[BaseException]
) -> None:
    texts, before = texts_of(8), fingerprint(llama.network)
    llama.reader.check([text.token_ids for text in texts])
    decoder, calls = llama.network.get_decoder(), []
    forward = decoder.forward

    def third_time(*args: Any, **kwargs: Any) -> Any:
        calls.append(fingerprint(llama.network))
        if len(calls) >= 3:
            raise error("broken off")
        return forward(*args, **kwargs)

    monkeypatch.setattr(decoder, "forward", third_time)
    with pytest.raises(error):
        train_runs(llama, [Corpus(train=texts, validation=())], recipe(**STEADY), train_seeds=[17])
    assert calls[2] != before == fingerprint(llama.network)
    assert not any(weight.requires_grad for weight in llama.network.parameters())


def test_diverged_training_is_a_run_failure_and_leaves_the_base_clean(llama: Base, texts_of: Texts) -> None:
    before = fingerprint(llama.network)
    corpus = Corpus(train=texts_of(8), validation=texts_of(4, seed=1))
    (failure,) = train_runs(llama, [corpus], recipe(learning_rate=1e30), train_seeds=[17])
    assert isinstance(failure, RunFailure)
    assert "training diverged in epoch" in str(failure)
    assert fingerprint(llama.network) == before


def test_best_epoch_is_restored(load: Load, texts_of: Texts, tmp_path: Path) -> None:
    corpus = Corpus(train=texts_of(18), validation=texts_of(6, seed=1))
    best = trained(load("llama"), corpus, recipe(**STEADY, epochs=6, learning_rate=5e-3))
    losses = [epoch.validation_loss for epoch in best.log]
    chosen = losses.index(min(losses)) + 1
    assert 1 <= chosen < 6  # random answers: the later epochs overfit
    short = recipe(**STEADY, epochs=chosen, learning_rate=5e-3)
    last = trained(load("llama"), Corpus(train=corpus.train, validation=()), short)
    assert furthest(saved(best, tmp_path / "best"), saved(last, tmp_path / "last")) == 0.0


def test_checkpoint_is_the_end_of_a_shorter_training(load: Load, texts_of: Texts, tmp_path: Path) -> None:
    corpus = Corpus(train=texts_of(18), validation=())
    long = trained(load("llama"), corpus, recipe(**STEADY), 1)
    short = trained(load("llama"), corpus, recipe(**STEADY, epochs=1))
    assert furthest(saved(long.checkpoints[1], tmp_path / "long"), saved(short, tmp_path / "short")) == 0.0


def test_vision_tower_is_never_trained(load: Load, texts_of: Texts, tmp_path: Path) -> None:
    base = load("gemma3-multimodal")
    before = weights(base.network)
    ours = saved(trained(base, Corpus(train=texts_of(8), validation=()), recipe()), tmp_path / "multimodal")
    changed = {name for name, value in before.items() if not torch.equal(ours[name], value)}
    assert changed == {name for name in before if ".language_model." in name}
    assert before.keys() - changed


@pytest.mark.parametrize("failing", [{1}, {4}, {3, 4}])
def test_out_of_memory_changes_nothing(
    load: Load, texts_of: Texts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failing: set[int]
) -> None:
    corpus, base = Corpus(train=texts_of(18), validation=()), load("llama")
    undisturbed = saved(trained(base, corpus, recipe()), tmp_path / "undisturbed")
    decoder, calls = base.network.get_decoder(), []
    forward = decoder.forward

    def sometimes(*args: Any, **kwargs: Any) -> Any:
        calls.append(1)
        if len(calls) in failing:
            raise torch.OutOfMemoryError("no memory")
        return forward(*args, **kwargs)

    monkeypatch.setattr(decoder, "forward", sometimes)
    disturbed = saved(trained(base, corpus, recipe()), tmp_path / "disturbed")
    assert furthest(disturbed, undisturbed) < 2e-5
    assert len(calls) > 15


def test_bf16_trains_float32_master_weights(load_bf16: Load, texts_of: Texts, tmp_path: Path) -> None:
    """Steps far below bf16's resolution add up: without master weights nothing would move."""
    base = load_bf16("llama")
    assert base.network.dtype == torch.bfloat16
    before = weights(base.network)
    tiny = recipe(**STEADY, precision="bf16", learning_rate=2e-5, epochs=20)
    one_step = 2e-5 / before["lm_head.weight"].abs().float().mean().item()
    ours = saved(trained(base, Corpus(train=texts_of(18), validation=()), tiny), tmp_path / "bf16")
    assert {value.dtype for value in ours.values()} == {torch.bfloat16}
    moved = [(ours[name] - value).ne(0).float().mean().item() for name, value in before.items() if value.dim() > 1]
    assert one_step < 2**-9 < max(moved)


def test_two_at_once_and_four_bit_bases_are_refused(llama: Base, texts_of: Texts) -> None:
    corpora = [Corpus(train=texts_of(8), validation=())] * 2
    with pytest.raises(InputError, match=r"recipe 'whole': with method 'full' adapters are trained one at a time"):
        train_runs(llama, corpora, recipe(), train_seeds=[1, 2])
    in_four_bit = Base(llama.network, llama.tokenizer, llama.folder, llama.reader, is_quantised=True)
    with pytest.raises(InputError, match=r"recipe 'whole': method 'full' cannot train a base model in 4 bit"):
        train_runs(in_four_bit, corpora[:1], recipe(), train_seeds=[1])
