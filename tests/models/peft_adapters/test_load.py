"""Adapters of all kinds score as in PEFT, and the base comes back; what does not fit is refused in one line."""

import warnings
from pathlib import Path
from typing import Any

import pytest
import torch
from peft import LoraConfig, PeftModel, PeftType
from torch import Tensor
from transformers import AutoModelForCausalLM, GPT2Config, GPT2LMHeadModel

from donorgrid.core.errors import InputError
from donorgrid.models.adapter_switch import AdapterSwitch
from donorgrid.models.folders import find_model
from donorgrid.models.loading import Base, load_base
from donorgrid.models.reader import Reader
from donorgrid.models.weight_backup import fingerprint
from donorgrid.score.scorer import Scorer
from peft_kinds import KINDS, N_NEW, OTHERS, REFUSED, is_resized, make_kind, reconfigure, rewrite, save_random
from random_items import random_items
from worlds import make_checkpoint, make_multimodal

ITEMS = random_items(4, seed=3)
OF_LLAMA = {"more layers", "attention prompts"}


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a tied base, an untied one, and a plain adapter of the tied one."""
    root = tmp_path_factory.mktemp("peft-adapters")
    make_checkpoint("qwen2", root / "tied")
    make_checkpoint("llama", root / "untied")
    make_kind(root / "tied", "lora", root / "plain")
    return root


def load(folder: Path) -> Base:
    files = find_model(folder.name, revision=None, folder=folder.parent, built_in={})
    return load_base(files, precision="fp32", device="cpu")


@pytest.fixture(scope="module")
def bases(root: Path) -> dict[str, Base]:
    return {name: load(root / name) for name in ("tied", "untied")}


def scores(base: Base, adapter: Path, *, n_tokens: int = 0) -> tuple[list[float], str]:
    """Our scores with an adapter, and how it is active."""
    with AdapterSwitch(base).active_by_peft(adapter, n_tokens=n_tokens) as (network, activation):
        return scores_of(
            base.reader if activation == "merged" else Reader(network, may_use_fast_decoder=False)
        ), activation


def scores_of(reader: Reader) -> list[float]:
    scorer = Scorer(reader, max_length=256)
    return [nats for options in scorer.score(scorer.pack(ITEMS)) for nats in options]


def peft_scores(network: Any, adapter: Path) -> list[float]:
    """The same by PEFT's own model."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.manual_seed(1234)  # lm-eval's
        adapted = PeftModel.from_pretrained(network, adapter).eval()
        if type(network.get_output_embeddings()) is torch.nn.Linear:
            adapted.tie_weights()  # as lm-eval does
        rows = [torch.tensor([*item.context, *option]) for item in ITEMS for option in item.continuations]
        padded = torch.nn.utils.rnn.pad_sequence(rows, batch_first=True)
        is_token = torch.arange(padded.shape[1]) < torch.tensor([len(row) for row in rows])[:, None]
        with torch.inference_mode():
            logits = adapted(input_ids=padded, attention_mask=is_token.long()).logits.log_softmax(-1)
    nats = logits[:, :-1].gather(2, padded[:, 1:, None]).squeeze(2)
    options = [option for item in ITEMS for option in item.continuations]
    return [nats[i, len(rows[i]) - 1 - len(option) : len(rows[i]) - 1].sum().item() for i, option in enumerate(options)]


def network_of(folder: Path, n_rows: int | None = None) -> Any:
    network = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    if n_rows is not None:
        network.resize_token_embeddings(n_rows, mean_resizing=False)
    return network


def assert_as_in_peft(root: Path, bases: dict[str, Base], base: str, kind: str, adapter: Path) -> None:
    make_kind(root / base, kind, adapter)
    before = fingerprint(bases[base].network)
    n_base, n_tokens = bases[base].network.config.vocab_size, len(bases[base].tokenizer) + N_NEW
    ours, _ = scores(bases[base], adapter)
    theirs = peft_scores(network_of(root / base, n_tokens if is_resized(kind) else None), adapter)
    assert ours == pytest.approx(theirs, abs=1e-4)
    assert fingerprint(bases[base].network) == before
    assert bases[base].network.get_input_embeddings().weight.shape[0] == n_base


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("kind", OTHERS)
def test_further_methods_score_as_in_peft_and_the_base_comes_back(
    root: Path, bases: dict[str, Base], tmp_path: Path, kind: str
) -> None:
    """Every second kind on the tied base. Those that lm-eval can compare are in tests/pipeline/check."""
    base = "untied" if kind in OF_LLAMA or list(OTHERS).index(kind) % 2 else "tied"
    assert_as_in_peft(root, bases, base, kind, tmp_path / "adapter")


@pytest.mark.parametrize("base", ["tied", "untied"])
@pytest.mark.parametrize("kind", ["olora", "saved embedding", "resized, saved both"])
def test_weights_that_change_at_loading_score_as_in_peft_and_the_base_comes_back(
    root: Path, bases: dict[str, Base], tmp_path: Path, base: str, kind: str
) -> None:
    assert_as_in_peft(root, bases, base, kind, tmp_path / "adapter")


@pytest.mark.parametrize("kind", ["lora", "rslora", "dora", "pissa"])
def test_an_adapter_is_merged_alike_in_a_study_and_in_a_check(
    root: Path, bases: dict[str, Base], tmp_path: Path, kind: str
) -> None:
    base = bases["untied"]
    adapter = make_kind(root / "untied", kind, tmp_path / "adapter", strength=0.3)
    in_a_check, activation = scores(base, adapter)
    with AdapterSwitch(base).active(adapter):
        in_a_study = scores_of(base.reader)
    assert activation == "merged"
    assert in_a_study == pytest.approx(in_a_check, abs=1e-5)
    assert in_a_study == pytest.approx(peft_scores(network_of(root / "untied"), adapter), abs=1e-4)


def test_weights_of_a_gpt_are_transposed_and_are_left_to_peft(tmp_path: Path) -> None:
    make_checkpoint("llama", tmp_path / "base")
    config = GPT2Config(n_embd=32, n_layer=2, n_head=4, vocab_size=420, n_positions=256)
    torch.manual_seed(0)
    GPT2LMHeadModel(config).save_pretrained(tmp_path / "base")
    save_random(network_of(tmp_path / "base"), LoraConfig(r=4, target_modules=["c_proj"]), tmp_path / "adapter")
    # What other tools write: the flag is left out, and PEFT sets it.
    adapter = reconfigure(tmp_path / "adapter", tmp_path / "unflagged", fan_in_fan_out=False)
    ours, activation = scores(load(tmp_path / "base"), adapter)
    assert ours == pytest.approx(peft_scores(network_of(tmp_path / "base"), adapter), abs=1e-4)
    assert activation == "unmerged"


def renamed(old: str, new: str) -> Any:
    return lambda tensors: {name.replace(old, new): tensor for name, tensor in tensors.items()}


@pytest.mark.parametrize("name", ["default", "sft_run"])
def test_keys_with_an_adapters_name_are_read(root: Path, bases: dict[str, Base], tmp_path: Path, name: str) -> None:
    named = rewrite(
        root / "plain",
        tmp_path / "named",
        lambda tensors: renamed("lora_B", f"lora_B.{name}")(renamed("lora_A", f"lora_A.{name}")(tensors)),
    )
    assert scores(bases["tied"], named) == scores(bases["tied"], root / "plain")


def test_names_of_gemma_3_from_before_transformers_4_52_are_read(tmp_path: Path) -> None:
    base = tmp_path / "base"
    make_multimodal(base)
    pattern = r".*language_model.*\.(q_proj|v_proj)"
    save_random(network_of(base), LoraConfig(r=4, target_modules=pattern, task_type="CAUSAL_LM"), tmp_path / "new")
    old = rewrite(tmp_path / "new", tmp_path / "old", renamed("model.language_model.", "language_model.model."))
    loaded = load(base)
    assert scores(loaded, old) == scores(loaded, tmp_path / "new")
    assert scores(loaded, old)[0] == pytest.approx(peft_scores(network_of(base), old), abs=1e-4)


def test_tokens_that_only_the_tokenizer_states_get_rows(root: Path, bases: dict[str, Base], tmp_path: Path) -> None:
    """An adapter that trains new tokens and was saved without the embeddings: lm-eval resizes by the tokenizer."""
    n_base = bases["untied"].network.config.vocab_size
    network = network_of(root / "untied", n_base + 2)
    config = LoraConfig(r=4, target_modules=["q_proj"], task_type="CAUSAL_LM", trainable_token_indices=[n_base])
    save_random(network, config, tmp_path / "new", embeddings=False)
    with pytest.raises(InputError, match="PEFT cannot load it"):
        scores(bases["untied"], tmp_path / "new")
    ours, activation = scores(bases["untied"], tmp_path / "new", n_tokens=n_base + 2)
    assert activation == "unmerged"
    assert torch.tensor(ours).isfinite().all()


def first_nan(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    name = next(iter(tensors))
    return {**tensors, name: torch.full_like(tensors[name], torch.nan)}


Q_PROJ = r"base_model\.model\.model\.layers\.0\.self_attn\.q_proj"
BROKEN = {
    "not finite": (first_nan, rf"{Q_PROJ}\.lora_A\.weight holds 128 numbers that are NaN or infinite"),
    "a tensor is missing": (lambda tensors: dict(list(tensors.items())[1:]), rf"{Q_PROJ}\.lora_A\.weight is missing"),
    "a layer is missing": (
        lambda tensors: {name: tensor for name, tensor in tensors.items() if "layers.1" not in name},
        r"layers\.1\.self_attn\.q_proj\.lora_A\.weight is missing \(4 such tensors\)",
    ),
    "a layer too many": (
        lambda tensors: {**tensors, **renamed("layers.1", "layers.7")(tensors)},
        r"layers\.7\.self_attn\.q_proj\.lora_A\.weight fits no module",
    ),
    "another width": (
        lambda tensors: {name: tensor[:, :3] for name, tensor in tensors.items()},
        r"q_proj\.lora_A\.weight is 4 x 3; expected 4 x 32",
    ),
}
MISFIT = {
    "another rank": ({"r": 8}, r"q_proj\.lora_A\.weight is 4 x 32; expected 8 x 32"),
    "another rank for a module": (
        {"rank_pattern": {"v_proj": 2}},
        r"v_proj\.lora_A\.weight is 4 x 32; expected 2 x 32",
    ),
    "no such module": ({"target_modules": ["c_attn"]}, r"made for another base: Target modules \{'c_attn'\} not found"),
    "more modules": ({"target_modules": "all-linear"}, r"k_proj\.lora_A\.weight is missing"),
    "a module to save": ({"modules_to_save": ["lm_head"]}, r"lm_head\.weight is missing"),
    "an unknown method": ({"peft_type": "MAGIC"}, "its peft_type is 'MAGIC'; this PEFT knows"),
    "a wrong type": ({"target_modules": 5}, "PEFT cannot load it: 'int' object is not iterable"),
    "a broken pattern": ({"target_modules": "(["}, "PEFT cannot load it: unterminated character set"),
    "activated LoRA": ({"alora_invocation_tokens": [5, 6]}, "activated LoRA"),
    "mixed adapters": (
        {"peft_type": "XLORA", "hidden_size": 32, "adapters": {"a": "elsewhere"}},
        "XLORA mixes adapters of other folders",
    ),
    "Megatron": ({"megatron_config": {"a": 1}, "megatron_core": "this"}, "megatron_config is for models of Megatron"),
}


@pytest.mark.parametrize("case", [*BROKEN, *MISFIT])
def test_what_does_not_fit_is_one_line_with_tensor_and_expectation(
    root: Path, bases: dict[str, Base], tmp_path: Path, case: str
) -> None:
    if case in BROKEN:
        change, message = BROKEN[case]
        adapter = rewrite(root / "plain", tmp_path / "adapter", change)
    else:
        changes, message = MISFIT[case]
        adapter = reconfigure(root / "plain", tmp_path / "adapter", **changes)
    before = fingerprint(bases["tied"].network)
    with pytest.raises(InputError, match=message) as error:
        scores(bases["tied"], adapter)
    assert str(error.value).startswith(f"adapter '{adapter}': ")
    assert "\n" not in str(error.value)
    assert fingerprint(bases["tied"].network) == before


@pytest.mark.parametrize("kind", REFUSED)
def test_what_needs_more_than_a_text_and_the_modules_is_refused_by_name(
    root: Path, bases: dict[str, Base], tmp_path: Path, kind: str
) -> None:
    adapter = make_kind(root / "untied", kind, tmp_path / "adapter")
    make, message = REFUSED[kind]
    with pytest.raises(InputError, match=message.format(make().peft_type.value)) as error:
        scores(bases["untied"], adapter)
    assert "\n" not in str(error.value)


@pytest.mark.filterwarnings("ignore")
def test_every_method_of_this_peft_is_tried() -> None:
    tried = {make().peft_type for make in KINDS.values()}
    assert set(PeftType) - tried == {PeftType.XLORA}  # it needs adapters of other folders; see MISFIT


def test_a_key_that_this_peft_does_not_know_is_said(
    root: Path, bases: dict[str, Base], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    adapter = reconfigure(root / "plain", tmp_path / "newer", of_a_later_version=True)
    assert scores(bases["tied"], adapter) == scores(bases["tied"], root / "plain")
    assert "of_a_later_version" in caplog.text
