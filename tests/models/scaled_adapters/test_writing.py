"""An adapter at a strength on disk: PEFT or transformers opens it and computes as weights in between do."""

import json
import warnings
from pathlib import Path
from typing import Any

import pytest
import torch
from peft import LoraConfig, PeftModel
from peft.tuners.lora import LoraLayer
from torch import Tensor
from transformers import AutoModelForCausalLM

from donorgrid.core.errors import InputError
from donorgrid.models.folders import find_model
from donorgrid.models.loading import Base, load_base
from donorgrid.models.scaled_adapters import write_scaled
from donorgrid.models.weight_backup import fingerprint
from peft_kinds import N_NEW, is_resized, make_kind, save_random
from worlds import make_checkpoint

IDS = torch.arange(3, 35).view(4, 8)
SCALED = [
    *("lora", "rslora", "patterns", "some layers", "embedding", "lora bias", "saved embedding", "saved norm"),
    *("some tokens", "parameters", "resized", "resized, saved both"),
]


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Base:
    return load(make_checkpoint("llama", tmp_path_factory.mktemp("scaled") / "llama"))


def load(folder: Path) -> Base:
    model = find_model(folder.name, revision=None, folder=folder.parent, built_in={})
    return load_base(model, precision="fp32", device="cpu")


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


def by_peft(base: Base, kind: str, adapter: Path) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return PeftModel.from_pretrained(network_of(base, kind), adapter).eval()


def log_probabilities(network: Any) -> Tensor:
    with torch.inference_mode():
        return network(IDS).logits.log_softmax(-1)


def between(base: Base, kind: str, adapter: Path, strength: float) -> Tensor:
    """The log-probabilities of weights between the base's and those that PEFT merged."""
    network, adapted = network_of(base, kind), by_peft(base, kind, adapter)
    if kind == "lora bias":  # PEFT merges no such bias into a linear map without one
        for layer in adapted.modules():
            if isinstance(layer, LoraLayer):
                layer.scaling = {name: strength * scaling for name, scaling in layer.scaling.items()}
        return log_probabilities(adapted)
    theirs = dict(adapted.merge_and_unload().named_parameters(remove_duplicate=False))
    with torch.no_grad():
        for name, weight in network.named_parameters():
            weight.add_((theirs[name] - weight) * strength)
    return log_probabilities(network.eval())


def written(base: Base, adapter: Path, folder: Path, **options: Any) -> str:
    folder.mkdir()
    return write_scaled(base, adapter, folder, **options)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("kind", SCALED)
def test_a_scaled_adapter_that_peft_opens_has_the_same_log_probabilities(base: Base, tmp_path: Path, kind: str) -> None:
    adapter, before = make_kind(base.folder.path, kind, tmp_path / "adapter"), fingerprint(base.network)
    said = written(base, adapter, tmp_path / "scaled", strength=0.3)
    assert said.startswith("a LoRA adapter whose factors B are multiplied by 0.3; largest error ")
    ours, expected = log_probabilities(by_peft(base, kind, tmp_path / "scaled")), between(base, kind, adapter, 0.3)
    assert torch.allclose(ours, expected, rtol=0, atol=1e-5)
    assert not torch.allclose(ours, between(base, kind, adapter, 1.0), atol=1e-2)
    configs = [json.loads((folder / "adapter_config.json").read_text()) for folder in (adapter, tmp_path / "scaled")]
    assert configs[0] == configs[1]
    assert fingerprint(base.network) == before


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("biases", ["all", "lora_only"])
def test_biases_lie_between_too(tmp_path: Path, biases: str) -> None:
    base = load(make_checkpoint("qwen2", tmp_path / "qwen2"))
    config = LoraConfig(r=4, target_modules=["q_proj", "up_proj"], bias=biases, task_type="CAUSAL_LM")
    adapter = save_random(network_of(base, "lora"), config, tmp_path / "adapter")
    written(base, adapter, tmp_path / "scaled", strength=0.3)
    ours = log_probabilities(by_peft(base, "lora", tmp_path / "scaled"))
    assert torch.allclose(ours, between(base, "lora", adapter, 0.3), rtol=0, atol=1e-5)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("kind", ["dora", "pissa", "lora"])
def test_merged_weights_open_as_a_whole_model(base: Base, tmp_path: Path, kind: str) -> None:
    adapter = make_kind(base.folder.path, kind, tmp_path / "adapter")
    written(base, adapter, tmp_path / "merged", strength=0.3, form="merged")
    whole = AutoModelForCausalLM.from_pretrained(tmp_path / "merged", dtype=torch.float32).eval()
    assert torch.allclose(log_probabilities(whole), between(base, kind, adapter, 0.3), rtol=0, atol=1e-5)


@pytest.mark.filterwarnings("ignore")
def test_low_rank_says_its_error_and_is_exact_at_full_rank(base: Base, tmp_path: Path) -> None:
    adapter = make_kind(base.folder.path, "dora", tmp_path / "adapter")
    expected = between(base, "dora", adapter, 0.3)
    errors = {}
    for rank in (2, 8, 32):
        said = written(base, adapter, tmp_path / f"{rank}", strength=0.3, form="low-rank", rank=rank)
        assert said.startswith(f"a LoRA adapter of rank {rank} that leaves out ")
        errors[rank] = float((log_probabilities(by_peft(base, "dora", tmp_path / f"{rank}")) - expected).abs().max())
    assert errors[2] > errors[8] > errors[32]
    assert errors[32] < 1e-4
    pissa = make_kind(base.folder.path, "pissa", tmp_path / "pissa")  # twice its rank holds all that it changes
    written(base, pissa, tmp_path / "of-pissa", strength=0.3, form="low-rank", rank=8)
    ours = log_probabilities(by_peft(base, "lora", tmp_path / "of-pissa"))
    assert torch.allclose(ours, between(base, "pissa", pissa, 0.3), rtol=0, atol=1e-4)


def test_the_error_of_low_rank_is_the_share_of_the_change_that_is_left_out(base: Base, tmp_path: Path) -> None:
    adapter = make_kind(base.folder.path, "lora", tmp_path / "adapter")
    said = written(base, adapter, tmp_path / "low", strength=1.0, form="low-rank", rank=1)
    adapted, left_out, whole = by_peft(base, "lora", adapter), 0.0, 0.0
    for layer in adapted.modules():
        if hasattr(layer, "get_delta_weight"):
            singular = torch.linalg.svdvals(layer.get_delta_weight("default").double())
            left_out, whole = left_out + float((singular[1:] ** 2).sum()), whole + float((singular**2).sum())
    assert f"leaves out {100 * (left_out / whole) ** 0.5:.2g}% of the change" in said


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    ("kind", "options", "said"),
    [
        ("dora", {}, "DoRA cannot be scaled by a factor; give --as merged .* or --as low-rank"),
        ("ia3", {}, "IA3 cannot be scaled by a factor; give --as merged"),
        ("pissa", {}, "log-probabilities are off by .* 'pissa'.; give --as merged"),
        ("saved norm", {"form": "merged"}, "changes more than linear weights of the base: it cannot be merged"),
        ("embedding", {"form": "low-rank"}, "changes more than linear weights: it cannot be written as LoRA"),
    ],
)
def test_what_cannot_be_written_is_one_line(
    base: Base, tmp_path: Path, kind: str, options: dict[str, Any], said: str
) -> None:
    adapter, before = make_kind(base.folder.path, kind, tmp_path / "adapter"), fingerprint(base.network)
    with pytest.raises(InputError, match=said) as caught:
        written(base, adapter, tmp_path / "scaled", strength=0.5, **options)
    assert "\n" not in str(caught.value)
    assert fingerprint(base.network) == before


def test_a_whole_checkpoint_is_written_whole(base: Base, tmp_path: Path) -> None:
    make_checkpoint("llama", tmp_path / "other", seed=1)
    written(base, tmp_path / "other", tmp_path / "between", strength=0.5)
    networks = [network_of(base, "lora"), AutoModelForCausalLM.from_pretrained(tmp_path / "other")]
    half = AutoModelForCausalLM.from_pretrained(tmp_path / "between").state_dict()
    for (name, first), second in zip(networks[0].named_parameters(), networks[1].parameters(), strict=True):
        assert torch.allclose(half[name], (first + second) / 2, atol=1e-7)
    with pytest.raises(InputError, match="a whole checkpoint has no factors; allowed is --as merged"):
        written(base, tmp_path / "other", tmp_path / "low", strength=0.5, form="low-rank")
