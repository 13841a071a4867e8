"""Adapters that are trained with attention by blocks are those of square masks, alone and several at once."""

import math
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from donorgrid.core.records import Recipe
from donorgrid.models.folders import ModelFolder
from donorgrid.models.gpu import choice
from donorgrid.models.loading import Base
from donorgrid.models.reader import Reader
from donorgrid.train.encode import Corpus, EncodedText
from donorgrid.train.methods import train_runs


def texts(n: int, seed: int) -> tuple[EncodedText, ...]:
    rng = random.Random(seed)
    made = []
    for _ in range(n):
        tokens = tuple(rng.randrange(3, 300) for _ in range(rng.randrange(8, 40)))
        made.append(EncodedText(tokens, (*[False] * (len(tokens) - 2), True, True)))
    return tuple(made)


def trained(network: Any, ways: Any, n_adapters: int, folder: Path) -> tuple[list[dict[str, torch.Tensor]], Reader]:
    reader = Reader(network, may_use_fast_decoder=False, ways=ways)
    files = ModelFolder(
        path=Path("none"), weights_digest="", tokenizer_digest="", n_parameters=0, model_type="", max_positions=256
    )
    base = Base(network, None, files, reader)
    corpora = [Corpus(train=texts(10 + 3 * seed, seed), validation=texts(4, 9)) for seed in range(n_adapters)]
    recipe = Recipe(name="tiny", rank=4, alpha=8.0, epochs=2, batch_size=4, learning_rate=0.01, precision="fp32")
    weights = []
    for number, result in enumerate(train_runs(base, corpora, recipe, train_seeds=range(n_adapters))):
        (folder / str(number)).mkdir(parents=True)
        result.save(folder / str(number))
        weights.append(load_file(folder / str(number) / "adapter_model.safetensors"))
    return weights, reader


@pytest.mark.parametrize(("kind", "n_adapters"), [("llama", 2), ("gemma3", 1)])
def test_block_masks_train_the_adapters_of_square_masks(
    network_of: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, kind: str, n_adapters: int
) -> None:
    monkeypatch.setattr(choice, "_FEWEST_TOKENS", 16)
    monkeypatch.setattr(choice, "_TRAINING_TOKENS", 200)
    expected, _ = trained(network_of(kind), ("dense masks",), n_adapters, tmp_path / "dense")
    found, reader = trained(network_of(kind), ("block masks",), n_adapters, tmp_path / "blocks")
    assert reader.chosen_ways["training"] == "block masks"
    assert "transformers' layers, block masks, float32" in reader.used_ways.take("training")
    assert reader.used_ways.take("training") == ()
    for ours, theirs in zip(found, expected, strict=True):
        gap = math.hypot(*(float((value - theirs[name]).norm()) for name, value in ours.items()))
        change = math.hypot(*(float(value.norm()) for name, value in theirs.items() if "lora_B" in name))
        assert gap < 2e-3 * change
        assert change > 0.05
