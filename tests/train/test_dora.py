"""DoRA: against PEFT under HF's Trainer, in PEFT's format, and no trace in the base."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from peft import LoraConfig, PeftModel, get_peft_model
from safetensors.torch import load_file
from torch.nn.functional import cross_entropy

from donorgrid.core.errors import InputError, RunFailure
from donorgrid.core.records import Recipe
from donorgrid.models.adapter_switch import AdapterSwitch
from donorgrid.models.loading import Base
from donorgrid.models.peft_quirks import quiet_deprecations
from donorgrid.models.weight_backup import fingerprint
from donorgrid.train.encode import Corpus, EncodedText
from donorgrid.train.methods import train_runs
from donorgrid.train.result import TrainedWeights
from trainer_side import train_by_trainer

Load = Callable[[str], Base]
Texts = Callable[..., tuple[EncodedText, ...]]


def recipe(**changes: object) -> Recipe:
    fields = {"rank": 4, "alpha": 8.0, "epochs": 3, "batch_size": 4, "learning_rate": 0.01, "precision": "fp32"}
    return Recipe(name="turned", method="dora", **{"target_modules": "all-linear", **fields, **changes})


def saved(base: Base, corpus: Corpus, how: Recipe, folder: Path) -> tuple[dict[str, torch.Tensor], TrainedWeights]:
    (result,) = train_runs(base, [corpus], how, train_seeds=[17])
    assert isinstance(result, TrainedWeights)
    folder.mkdir()
    result.save(folder)
    return load_file(folder / "adapter_model.safetensors"), result


def nats(network: object, texts: tuple[EncodedText, ...]) -> list[float]:
    """Log-probability of each text, token by token, read alone."""
    nats = []
    with torch.no_grad():
        for text in texts:
            ids = torch.tensor([text.token_ids])
            logits = network(input_ids=ids, use_cache=False).logits[0, :-1].float()
            nats.append(-cross_entropy(logits, ids[0, 1:], reduction="sum").item())
    return nats


@pytest.mark.filterwarnings("default")
@pytest.mark.parametrize("kind", ["llama", "qwen2", "gpt-neox"])
def test_weights_equal_those_of_hf_trainer(load: Load, texts_of: Texts, tmp_path: Path, kind: str) -> None:
    texts, how = texts_of(18), recipe()
    ours, _ = saved(load(kind), Corpus(train=texts, validation=()), how, tmp_path / "ours")
    torch.manual_seed(17)
    config = LoraConfig(r=4, lora_alpha=8.0, use_dora=True, target_modules="all-linear", task_type="CAUSAL_LM")
    adapted = get_peft_model(load(kind).network, config)
    train_by_trainer(adapted, texts, how, tmp_path, train_seed=17)
    adapted.save_pretrained(tmp_path / "theirs")
    theirs = load_file(tmp_path / "theirs" / "adapter_model.safetensors")
    assert ours.keys() == theirs.keys()
    gaps = {part: max((ours[name] - theirs[name]).abs().max() for name in ours if part in name) for part in PARTS}
    assert all(gap < 2e-5 for gap in gaps.values()), gaps
    assert max(value.abs().max() for name, value in ours.items() if "lora_B" in name) > 0.01


PARTS = ("lora_A", "lora_B", "lora_magnitude_vector")


def test_peft_reads_it_with_the_same_log_probabilities(load: Load, texts_of: Texts, tmp_path: Path) -> None:
    base, texts = load("qwen2"), texts_of(18)
    saved(base, Corpus(train=texts, validation=texts_of(6, seed=1)), recipe(), tmp_path / "ours")
    plain = nats(base.network, texts)
    with quiet_deprecations():
        theirs = nats(PeftModel.from_pretrained(load("qwen2").network, tmp_path / "ours"), texts)
    with AdapterSwitch(base).active(tmp_path / "ours"):
        merged = nats(base.network, texts)
    assert merged == pytest.approx(theirs, abs=1e-4)
    assert max(abs(left - right) for left, right in zip(theirs, plain, strict=True)) > 0.5
    assert nats(base.network, texts) == plain


def test_validation_loss_is_that_of_the_adapter_in_peft(load: Load, texts_of: Texts, tmp_path: Path) -> None:
    """The forward pass that training logs, packed, against PEFT's, text by text."""
    validation = texts_of(6, seed=1)
    how = recipe(epochs=1)
    _, result = saved(load("llama"), Corpus(train=texts_of(18), validation=validation), how, tmp_path / "ours")
    with quiet_deprecations():
        theirs = PeftModel.from_pretrained(load("llama").network, tmp_path / "ours")
    total = 0.0
    with torch.no_grad():
        for text in validation:
            ids, read = torch.tensor([text.token_ids]), torch.tensor(text.supervised)[1:]
            logits = theirs(input_ids=ids, use_cache=False).logits[0, :-1].float()
            total += cross_entropy(logits[read], ids[0, 1:][read], reduction="sum").item()
    assert result.log[0].validation_loss == pytest.approx(
        total / sum(text.n_supervised for text in validation), abs=1e-5
    )


def test_base_keeps_no_trace_also_of_a_failure(llama: Base, texts_of: Texts) -> None:
    with torch.no_grad():
        llama.network.get_input_embeddings().weight[301] = torch.nan  # a token that no other text has
    fingerprint_before, modules = fingerprint(llama.network), [name for name, _ in llama.network.named_modules()]
    poison = EncodedText((20, 301, 22, 23), (False,) * 3 + (True,))
    drawn = torch.get_rng_state()
    (failure,) = train_runs(llama, [Corpus(train=(*texts_of(8), poison), validation=())], recipe(), train_seeds=[17])
    assert isinstance(failure, RunFailure)
    assert fingerprint(llama.network) == fingerprint_before
    assert [name for name, _ in llama.network.named_modules()] == modules
    assert not any(weight.requires_grad for weight in llama.network.parameters())
    assert torch.equal(torch.get_rng_state(), drawn)


def test_reader_looks_at_the_network_without_the_adapter(
    llama: Base, texts_of: Texts, caplog: pytest.LogCaptureFixture
) -> None:
    """What it finds out (how the network reads fastest) is for all the work that follows."""
    train_runs(llama, [Corpus(train=texts_of(8), validation=())], recipe(epochs=1), train_seeds=[17])
    assert not caplog.records


def test_dropout_drops_while_learning_only(load: Load, texts_of: Texts, tmp_path: Path) -> None:
    corpus = Corpus(train=texts_of(8), validation=texts_of(4, seed=1))
    still = {"learning_rate": 1e-30}
    _, kept = saved(load("llama"), corpus, recipe(**still), tmp_path / "kept")
    _, dropped = saved(load("llama"), corpus, recipe(**still, dropout=0.5), tmp_path / "dropped")
    assert dropped.log[0].validation_loss == pytest.approx(kept.log[0].validation_loss, abs=1e-6)
    moving, _ = saved(load("llama"), corpus, recipe(), tmp_path / "moving")
    other, _ = saved(load("llama"), corpus, recipe(dropout=0.5), tmp_path / "other")
    assert not all(torch.equal(moving[name], other[name]) for name in moving)


def test_two_at_once_are_refused(llama: Base, texts_of: Texts) -> None:
    corpora = [Corpus(train=texts_of(8), validation=())] * 2
    with pytest.raises(InputError, match=r"recipe 'turned': with method 'dora' adapters are trained one at a time"):
        train_runs(llama, corpora, recipe(), train_seeds=[1, 2])


def test_vision_tower_is_never_trained(load: Load, texts_of: Texts, tmp_path: Path) -> None:
    corpus = Corpus(train=texts_of(8), validation=())
    ours, _ = saved(load("gemma3-multimodal"), corpus, recipe(), tmp_path / "multimodal")
    assert ours
    assert all(".language_model.layers." in name for name in ours)
