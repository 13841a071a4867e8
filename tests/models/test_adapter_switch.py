"""An adapter merged in memory equals the adapter in PEFT, and leaves no trace."""

import json
import shutil
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from peft import LoraConfig, PeftModel, get_peft_model
from transformers import AutoModelForCausalLM

from donorgrid.core.errors import DonorgridError, InputError
from donorgrid.core.records import Cell, Item, Recipe
from donorgrid.models.adapter_switch import AdapterSwitch
from donorgrid.models.folders import find_model
from donorgrid.models.loading import Base, load_base
from donorgrid.models.peft_quirks import quiet_deprecations
from donorgrid.models.weight_backup import fingerprint
from donorgrid.score.encode import EncodedItem, encode_items
from donorgrid.score.plain import score_options
from donorgrid.train.encode import Corpus, EncodedText
from donorgrid.train.methods import train_runs
from worlds import make_checkpoint, make_multimodal

KINDS = ("llama", "qwen2", "gemma3", "gpt-neox", "gemma3-multimodal")
CHOICES = ("red", "green two", "blue", "one three")
ITEMS = tuple(
    Item(
        id=str(index), cell=Cell(task="t", language="en"), context=f"which is number {index}", choices=CHOICES, answer=0
    )
    for index in range(6)
)


@pytest.fixture(scope="module")
def active(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], tuple[Base, Path]]:
    """A base by its kind, and the folder of an adapter that was trained on it."""
    root = tmp_path_factory.mktemp("active")

    def make(kind: str) -> tuple[Base, Path]:
        folder = root / f"{kind}-adapter"
        if folder.exists():
            return again(root / kind), folder
        folder.mkdir()
        make_multimodal(root / kind) if kind == "gemma3-multimodal" else make_checkpoint(kind, root / kind)
        base = again(root / kind)
        ids = [tuple(base.tokenizer.encode(f"red is number {index}")) for index in range(8)]
        texts = tuple(EncodedText(token_ids, (False,) + (True,) * (len(token_ids) - 1)) for token_ids in ids)
        recipe = Recipe(name="tiny", rank=4, alpha=8.0, learning_rate=0.02, target_modules="all-linear")
        (trained,) = train_runs(base, [Corpus(train=texts, validation=())], recipe, train_seeds=[1])
        trained.save(folder)
        return base, folder

    return make


def again(folder: Path) -> Base:
    files = find_model(folder.name, revision=None, folder=folder.parent, built_in={})
    return load_base(files, precision="fp32", device="cpu")


def encoded(base: Base) -> tuple[EncodedItem, ...]:
    return encode_items(ITEMS, base.tokenizer, chat_template=False).items


def scores(network: object, items: tuple[EncodedItem, ...]) -> list[float]:
    return [nats for item in score_options(network, items, max_length=256) for nats in item]


@pytest.mark.parametrize("kind", KINDS)
def test_saved_adapter_scores_alike_in_peft_and_the_base_comes_back(active: Callable, kind: str) -> None:
    base, adapter = active(kind)
    items = encoded(base)
    before = {name: value.clone() for name, value in base.network.state_dict().items()}
    plain = scores(base.network, items)
    with AdapterSwitch(base).active(adapter):
        ours = scores(base.network, items)
    with quiet_deprecations():
        theirs = scores(PeftModel.from_pretrained(again(base.folder.path).network, adapter).base_model.model, items)
    assert ours == pytest.approx(theirs, abs=1e-5)
    assert max(abs(left - right) for left, right in zip(ours, plain, strict=True)) > 0.1
    after = base.network.state_dict()
    assert before.keys() == after.keys()
    assert all(torch.equal(before[name], after[name]) for name in before)
    assert scores(base.network, items) == plain


def test_base_comes_back_after_an_exception(active: Callable) -> None:
    base, adapter = active("llama")
    before = {name: value.clone() for name, value in base.network.state_dict().items()}
    with pytest.raises(KeyboardInterrupt), AdapterSwitch(base).active(adapter):
        raise KeyboardInterrupt
    after = base.network.state_dict()
    assert before.keys() == after.keys()
    assert all(torch.equal(before[name], after[name]) for name in before)


@pytest.mark.parametrize("method", ["dora", "pissa", "rslora", "pattern", "embedding"])
def test_adapters_of_other_kinds_are_merged_and_taken_out_too(active: Callable, tmp_path: Path, method: str) -> None:
    base, _ = active("llama")
    items = encoded(base)
    changes = {
        "dora": {"use_dora": True},
        "pissa": {"init_lora_weights": "pissa"},
        "rslora": {"use_rslora": True},
        "pattern": {"rank_pattern": {"q_proj": 2}},
        "embedding": {"target_modules": ["q_proj", "embed_tokens"]},
    }[method]
    config = LoraConfig(**{"r": 4, "target_modules": ["q_proj", "up_proj"], "task_type": "CAUSAL_LM", **changes})
    with quiet_deprecations():
        adapted = get_peft_model(again(base.folder.path).network, config)
    torch.manual_seed(1)
    with torch.no_grad():
        for name, parameter in adapted.named_parameters():
            if "lora_" in name:
                parameter.add_(torch.randn_like(parameter) * 0.05)
    adapted.save_pretrained(tmp_path / "other", save_embedding_layers=False)
    before, plain = fingerprint(base.network), scores(base.network, items)
    with AdapterSwitch(base).active(tmp_path / "other"):
        ours = scores(base.network, items)
    with quiet_deprecations():
        loaded = PeftModel.from_pretrained(again(base.folder.path).network, tmp_path / "other")
    assert ours == pytest.approx(scores(loaded.base_model.model, items), abs=1e-4)
    assert max(abs(left - right) for left, right in zip(ours, plain, strict=True)) > 0.05
    assert fingerprint(base.network) == before
    assert scores(base.network, items) == plain


def test_adapter_that_changes_more_than_weights_is_refused(active: Callable, tmp_path: Path) -> None:
    base, adapter = active("llama")
    config = json.loads((adapter / "adapter_config.json").read_text())
    shutil.copytree(adapter, tmp_path / "more")
    (tmp_path / "more" / "adapter_config.json").write_text(json.dumps({**config, "modules_to_save": ["lm_head"]}))
    with pytest.raises(InputError, match="modules_to_save"), AdapterSwitch(base).active(tmp_path / "more"):
        pass


def test_weight_that_does_not_come_back_is_noticed(active: Callable) -> None:
    base, adapter = active("llama")
    with pytest.raises(DonorgridError, match="did not come back"), AdapterSwitch(base).active(adapter), torch.no_grad():
        base.network.get_input_embeddings().weight[7, 3] += 1e-4


def test_adapters_follow_each_other_in_the_same_switch(active: Callable) -> None:
    base, adapter = active("qwen2")
    items, adapter_switch = encoded(base), AdapterSwitch(base)
    with adapter_switch.active(adapter):
        first = scores(base.network, items)
    with adapter_switch.active(adapter):
        assert scores(base.network, items) == first


def test_fingerprint_changes_when_two_tensors_swap_values(active: Callable) -> None:
    base, _ = active("llama")
    before = fingerprint(base.network)
    first, second = (base.network.get_submodule(f"model.layers.{layer}.self_attn.q_proj").weight for layer in (0, 1))
    with torch.no_grad():
        value = first[0, 0].clone()
        first[0, 0], second[0, 0] = second[0, 0].clone(), value
    assert fingerprint(base.network) != before


def full_checkpoint(base: Base, folder: Path, *, seed: int = 1) -> Path:
    """The checkpoint of a base whose every language weight moved."""
    texts = tuple(
        EncodedText(token_ids, (False,) + (True,) * (len(token_ids) - 1))
        for token_ids in (tuple(base.tokenizer.encode(f"red is number {index}")) for index in range(8))
    )
    recipe = Recipe(name="whole", method="full", learning_rate=0.002, precision="fp32")
    (result,) = train_runs(base, [Corpus(train=texts, validation=())], recipe, train_seeds=[seed])
    folder.mkdir()
    result.save(folder)
    return folder


@pytest.mark.parametrize("kind", ["llama", "qwen2", "gemma3-multimodal"])
def test_full_checkpoint_scores_alike_in_transformers_and_the_base_comes_back(
    active: Callable, tmp_path: Path, kind: str
) -> None:
    base, adapter = active(kind)
    items, folder = encoded(base), full_checkpoint(base, tmp_path / "whole")
    before, plain, adapter_switch = fingerprint(base.network), scores(base.network, items), AdapterSwitch(base)
    with adapter_switch.active(folder):
        ours = scores(base.network, items)
    assert fingerprint(base.network) == before
    assert scores(base.network, items) == plain
    theirs = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    assert ours == pytest.approx(scores(theirs, items), abs=1e-6)
    assert max(abs(left - right) for left, right in zip(ours, plain, strict=True)) > 0.05
    with adapter_switch.active(adapter):  # one after the other, of either kind
        after = scores(base.network, items)
    fresh = again(base.folder.path)
    with AdapterSwitch(fresh).active(adapter):
        assert after == scores(fresh.network, items)


def test_checkpoint_of_another_model_is_refused_and_leaves_the_base_clean(active: Callable, tmp_path: Path) -> None:
    base, _ = active("llama")
    before = fingerprint(base.network)
    for kind, lacks in (("qwen3", "has no"), ("gpt-neox", "has no")):
        make_checkpoint(kind, tmp_path / kind)
        with pytest.raises(InputError, match=f"a checkpoint of another model: it {lacks}"):
            enter(AdapterSwitch(base).active(tmp_path / kind))
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="the model cannot be loaded"):
        enter(AdapterSwitch(base).active(tmp_path / "empty"))
    assert fingerprint(base.network) == before


def enter(context: AbstractContextManager[None]) -> None:
    with context:
        pytest.fail("was entered")


@pytest.mark.parametrize("dora", [False, True])
def test_an_unmerged_adapter_scores_as_a_merged_one(active: Callable, tmp_path: Path, dora: bool) -> None:
    """What a base in 4 bit does, on one whose weights can be merged too."""
    base, _ = active("llama")
    config = LoraConfig(r=4, target_modules="all-linear", task_type="CAUSAL_LM", use_dora=dora)
    with quiet_deprecations():
        adapted = get_peft_model(again(base.folder.path).network, config)
    with torch.no_grad():
        for name, parameter in adapted.named_parameters():
            if "lora_B" in name:
                parameter.normal_().mul_(0.05)
    adapted.save_pretrained(tmp_path / "other")
    items, before = encoded(base), fingerprint(base.network)
    plain = scores(base.network, items)
    with AdapterSwitch(base).active(tmp_path / "other"):
        merged = scores(base.network, items)
    unmerging = AdapterSwitch(replace(base, is_quantised=True))
    with unmerging.active(tmp_path / "other"):
        assert fingerprint(base.network) != before  # PEFT's modules stand in it
        unmerged = scores(base.network, items)
    with AdapterSwitch(base).active(tmp_path / "other", strength=0.4):
        merged_less = scores(base.network, items)
    with unmerging.active(tmp_path / "other", strength=0.4):
        assert scores(base.network, items) == pytest.approx(merged_less, abs=1e-4)
    assert unmerged == pytest.approx(merged, abs=1e-4)
    assert unmerged != merged != merged_less
    assert max(abs(left - right) for left, right in zip(unmerged, plain, strict=True)) > 0.05
    with pytest.raises(KeyboardInterrupt), unmerging.active(tmp_path / "other"):
        raise KeyboardInterrupt
    assert scores(base.network, items) == plain
    assert fingerprint(base.network) == before
