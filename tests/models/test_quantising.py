"""Base weights in 4 bit: what bitsandbytes is told, the lines where it cannot be, and the work of adapters on them."""

import importlib.util
import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from donorgrid.core.errors import InputError
from donorgrid.core.records import Recipe
from donorgrid.models import quantising
from donorgrid.models.adapter_switch import AdapterSwitch
from donorgrid.models.folders import find_model
from donorgrid.models.loading import Base, load_base, load_network, load_tokenizer
from donorgrid.models.reader import Reader
from donorgrid.models.weight_backup import fingerprint
from donorgrid.train.encode import Corpus, EncodedText
from donorgrid.train.methods import train_runs
from donorgrid.train.result import TrainedWeights
from worlds import make_checkpoint


@pytest.fixture
def base_of(tmp_path: Path) -> Callable[..., Base]:
    make_checkpoint("llama", tmp_path / "llama")
    files = find_model("llama", revision=None, folder=tmp_path, built_in={})
    return lambda **how: load_base(files, precision="bf16", weights="4bit", **how)


def test_without_a_gpu_it_is_one_line(base_of: Callable[..., Base]) -> None:
    with pytest.raises(InputError, match=r"weights '4bit': they are computed on a CUDA device; .* device is 'cpu'"):
        base_of(device="cpu")


@pytest.mark.parametrize("missing", ["bitsandbytes", "accelerate"])
def test_without_the_extra_it_is_one_line(
    base_of: Callable[..., Base], monkeypatch: pytest.MonkeyPatch, missing: str
) -> None:
    monkeypatch.setattr(quantising, "find_spec", lambda name: None if name == missing else object())
    with pytest.raises(InputError, match=rf"the package {missing} is missing; install the extra donorgrid\[4bit\]"):
        base_of(device="cuda")


def test_with_a_gpu_and_the_extra_nothing_is_amiss(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quantising, "find_spec", lambda _: object())
    quantising.check_weights("4bit", device="cuda:1")
    quantising.check_weights("own", device="cpu")


def test_configuration_is_that_of_qlora() -> None:
    told = quantising.four_bit(torch.bfloat16)
    assert (told.load_in_4bit, told.load_in_8bit) == (True, False)
    assert (told.bnb_4bit_quant_type, told.bnb_4bit_use_double_quant) == ("nf4", True)
    assert told.bnb_4bit_compute_dtype == torch.bfloat16


def test_checkpoint_that_is_quantised_already_is_one_line(tmp_path: Path) -> None:
    make_checkpoint("llama", tmp_path / "llama")
    config = tmp_path / "llama" / "config.json"
    told = {"quant_method": "bitsandbytes", "load_in_4bit": True}
    config.write_text(json.dumps({**json.loads(config.read_text()), "quantization_config": told}))
    with pytest.raises(InputError, match="model 'llama': its weights are quantised already"):
        find_model("llama", revision=None, folder=tmp_path, built_in={})


@pytest.mark.skipif(importlib.util.find_spec("bitsandbytes") is None, reason="bitsandbytes is not installed")
@pytest.mark.parametrize("method", ["lora", "dora"])
def test_adapter_is_trained_and_active_on_four_bit_weights(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    """With bitsandbytes' kernels for CPUs. What only CPUs know is off: its repacking of weights, and layers by hand."""
    import bitsandbytes.nn.modules as bitsandbytes_modules

    monkeypatch.setattr(bitsandbytes_modules, "has_avx512bf16", lambda: False)
    monkeypatch.setattr("donorgrid.models.reader.make_fast_decoder", lambda _: None)
    make_checkpoint("llama", tmp_path / "llama")
    folder = find_model("llama", revision=None, folder=tmp_path, built_in={})
    told = quantising.four_bit(torch.float32)
    network = load_network(folder.path, dtype=torch.float32, quantisation=told).requires_grad_(False).eval()
    base = Base(network, load_tokenizer(folder), folder, Reader(network), is_quantised=True)
    assert network.get_decoder().layers[0].self_attn.q_proj.weight.dtype == torch.uint8
    before, texts = fingerprint(network), tuple(_text(seed) for seed in range(12))
    recipe = Recipe(name="q", method=method, rank=4, learning_rate=0.01, target_modules="all-linear", precision="fp32")
    (result,) = train_runs(base, [Corpus(train=texts[:8], validation=texts[8:])], recipe, train_seeds=[1])
    assert isinstance(result, TrainedWeights)
    result.save(tmp_path)
    assert fingerprint(network) == before
    plain = _nats(base, texts[8:])
    with AdapterSwitch(base).active(tmp_path):
        active = _nats(base, texts[8:])
    assert active == pytest.approx(min(epoch.validation_loss for epoch in result.log), abs=1e-5)
    assert abs(active - plain) > 1e-3
    assert _nats(base, texts[8:]) == plain


def _text(seed: int) -> EncodedText:
    ids = torch.randint(10, 300, (8,), generator=torch.Generator().manual_seed(seed)).tolist()
    return EncodedText(tuple(ids), (False,) * 6 + (True,) * 2)


def _nats(base: Base, texts: tuple[EncodedText, ...]) -> float:
    """Mean loss per supervised token, each text read alone."""
    losses = []
    with torch.no_grad():
        for text in texts:
            ids, read = torch.tensor([text.token_ids]), torch.tensor(text.supervised)[1:]
            nats = base.network(input_ids=ids, use_cache=False).logits[0, :-1].float().log_softmax(-1)[read]
            losses += (-nats.gather(1, ids[0, 1:][read][:, None])).flatten().tolist()
    return sum(losses) / len(losses)
