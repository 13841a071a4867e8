"""An adapter merged in memory equals the adapter in PEFT, and leaves no trace."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from peft import PeftModel

from donorgrid.core.records import Cell, Item, Recipe
from donorgrid.models.folders import find_model
from donorgrid.models.loading import Base, load_base
from donorgrid.models.merging import merged
from donorgrid.models.peft_quirks import quiet_deprecations
from donorgrid.score.encode import EncodedItem, encode_items
from donorgrid.score.plain import score_options
from donorgrid.train.encode import EncodedText
from donorgrid.train.loop import Corpus
from donorgrid.train.lora import train_lora
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
def worn(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], tuple[Base, Path]]:
    """A base by its kind, and the folder of an adapter that was trained on it."""
    root = tmp_path_factory.mktemp("worn")

    def make(kind: str) -> tuple[Base, Path]:
        folder = root / f"{kind}-adapter"
        if folder.exists():
            return again(root / kind), folder
        folder.mkdir()
        make_multimodal(root / kind) if kind == "gemma3-multimodal" else make_checkpoint(kind, root / kind)
        base = again(root / kind)
        ids = [tuple(base.tokenizer.encode(f"red is number {index}")) for index in range(8)]
        texts = tuple(EncodedText(one, (False,) + (True,) * (len(one) - 1)) for one in ids)
        recipe = Recipe(name="tiny", rank=4, alpha=8.0, learning_rate=0.02, target_modules="all-linear")
        keep = lambda trained: trained.save(folder)  # noqa: E731
        train_lora(base, Corpus(train=texts, validation=()), recipe, train_seed=1, keep=keep)
        return base, folder

    return make


def again(folder: Path) -> Base:
    found = find_model(folder.name, revision=None, folder=folder.parent, built_in={})
    return load_base(found, precision="fp32", device="cpu")


def encoded(base: Base) -> tuple[EncodedItem, ...]:
    return encode_items(ITEMS, base.tokenizer, chat_template=False).items


def scores(network: object, items: tuple[EncodedItem, ...]) -> list[float]:
    return [nats for item in score_options(network, items, max_length=256) for nats in item]


@pytest.mark.parametrize("kind", KINDS)
def test_saved_adapter_scores_alike_in_peft_and_the_base_comes_back(worn: Callable, kind: str) -> None:
    base, adapter = worn(kind)
    items = encoded(base)
    before = {name: value.clone() for name, value in base.network.state_dict().items()}
    plain = scores(base.network, items)
    with merged(base, adapter):
        ours = scores(base.network, items)
    with quiet_deprecations():
        theirs = scores(PeftModel.from_pretrained(again(base.folder.path).network, adapter).base_model.model, items)
    assert ours == pytest.approx(theirs, abs=1e-5)
    assert max(abs(one - other) for one, other in zip(ours, plain, strict=True)) > 0.1
    after = base.network.state_dict()
    assert before.keys() == after.keys()
    assert all(torch.equal(before[name], after[name]) for name in before)
    assert scores(base.network, items) == plain


def test_base_comes_back_after_an_exception(worn: Callable) -> None:
    base, adapter = worn("llama")
    before = {name: value.clone() for name, value in base.network.state_dict().items()}
    with pytest.raises(KeyboardInterrupt), merged(base, adapter):
        raise KeyboardInterrupt
    after = base.network.state_dict()
    assert before.keys() == after.keys()
    assert all(torch.equal(before[name], after[name]) for name in before)
