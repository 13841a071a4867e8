"""W0 + strength (W' - W0) of adapters of all kinds, compared with weights that PEFT merged and we averaged."""

import warnings
from pathlib import Path
from typing import Any

import pytest
import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM

from donorgrid.core.errors import InputError
from donorgrid.models.adapter_switch import AdapterSwitch
from donorgrid.models.folders import find_model
from donorgrid.models.loading import Base, load_base
from donorgrid.models.reader import Reader
from donorgrid.models.weight_backup import between, fingerprint
from donorgrid.score.scorer import Scorer
from peft_kinds import N_NEW, is_resized, make_kind
from random_items import random_items
from worlds import make_checkpoint

ITEMS = random_items(3, seed=3)
KINDS = [
    *("lora", "rslora", "patterns", "dora", "pissa", "olora", "embedding", "saved embedding", "saved norm"),
    *("some tokens", "parameters", "ia3", "vera", "lokr", "oft", "boft", "hra", "layer norms", "ia3 on the head"),
    *("resized, saved both", "resized dora"),
]


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Base:
    folder = tmp_path_factory.mktemp("strength") / "llama"
    make_checkpoint("llama", folder)
    return load_base(
        find_model("llama", revision=None, folder=folder.parent, built_in={}), precision="fp32", device="cpu"
    )


def scores_of(reader: Reader) -> list[float]:
    scorer = Scorer(reader, max_length=256)
    return [nats for options in scorer.score(scorer.pack(ITEMS)) for nats in options]


def scores(base: Base, adapter: Path, strength: float) -> list[float]:
    n_tokens = len(base.tokenizer) + N_NEW
    with AdapterSwitch(base).active_by_peft(adapter, n_tokens=n_tokens, strength=strength) as (network, activation):
        return scores_of(base.reader if activation == "merged" else Reader(network, may_use_fast_decoder=False))


def network_of(base: Base, kind: str) -> Any:
    """The base's network by transformers; the rows of new tokens are the mean of the others."""
    network = AutoModelForCausalLM.from_pretrained(base.folder.path, dtype=torch.float32)
    if is_resized(kind):
        n_rows = network.config.vocab_size
        network.resize_token_embeddings(len(base.tokenizer) + N_NEW, mean_resizing=False)
        with torch.no_grad():
            for layer in (network.get_input_embeddings(), network.get_output_embeddings()):
                layer.weight[n_rows:] = layer.weight[:n_rows].mean(0)
    return network


def halfway(base: Base, kind: str, adapter: Path) -> list[float]:
    """The scores of weights that are the mean of the base's and those that PEFT merged."""
    network = network_of(base, kind)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        merged = PeftModel.from_pretrained(network_of(base, kind), adapter).eval().merge_and_unload()
    theirs = dict(merged.named_parameters(remove_duplicate=False))
    with torch.no_grad():
        for name, weight in network.named_parameters():
            weight.copy_((weight + theirs[name]) / 2)
    return scores_of(Reader(network.eval(), may_use_fast_decoder=False))


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("kind", KINDS)
def test_half_a_strength_is_the_mean_of_the_weights(base: Base, tmp_path: Path, kind: str) -> None:
    adapter, before = make_kind(base.folder.path, kind, tmp_path / "adapter"), fingerprint(base.network)
    whole = scores(base, adapter, 1.0)
    half = scores(base, adapter, 0.5)
    assert half == pytest.approx(halfway(base, kind, adapter), abs=5e-5)
    assert half != whole
    assert fingerprint(base.network) == before


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("kind", ["lora", "dora", "saved embedding", "lora bias"])
def test_strength_1_is_the_adapter_and_0_the_base_bit_for_bit(base: Base, tmp_path: Path, kind: str) -> None:
    adapter, switch = make_kind(base.folder.path, kind, tmp_path / "adapter"), AdapterSwitch(base)
    with switch.active_by_peft(adapter, n_tokens=0) as (network, activation):
        plain = scores_of(Reader(network, may_use_fast_decoder=False))
    scores(base, adapter, 0.5)
    with switch.active_by_peft(adapter, n_tokens=0, strength=1.0) as (network, activation):
        assert scores_of(Reader(network, may_use_fast_decoder=False)) == plain
    untouched = scores_of(Reader(base.network, may_use_fast_decoder=False))
    with switch.active_by_peft(adapter, n_tokens=0, strength=0.0) as (network, activation):
        found = scores_of(Reader(network, may_use_fast_decoder=False))
    assert activation in ("merged", "unmerged")
    assert found == (untouched if activation == "merged" else pytest.approx(untouched, abs=1e-6))


def test_weights_between_two_are_exact_at_both_ends() -> None:
    base, changed = torch.tensor([0.1, 1e8]), torch.tensor([0.3, 1.0])
    assert torch.equal(between(base, changed, 0), base)
    assert torch.equal(between(base, changed, 1), changed)
    assert between(base.bfloat16(), changed.bfloat16(), 1.5).dtype == torch.bfloat16
    assert between(torch.zeros(1), torch.full((1,), 2.0), 1.5).tolist() == [3.0]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("attention prompts", "changes more than weights; only strengths 0 and 1 are possible"),
        ("more layers", "changes more than weights; only strengths 0 and 1 are possible"),
        ("kasa", "it changes weights in two ways at once; only strength 1 is possible"),
    ],
)
def test_what_has_no_weights_in_between_is_refused_in_one_line(
    base: Base, tmp_path: Path, kind: str, said: str
) -> None:
    adapter = make_kind(base.folder.path, kind, tmp_path / "adapter")
    before = fingerprint(base.network)
    with pytest.raises(InputError, match=said) as caught:
        scores(base, adapter, 0.5)
    assert "\n" not in str(caught.value)
    assert fingerprint(base.network) == before
