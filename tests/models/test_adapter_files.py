"""PEFT's file and key names stand in one module; digests follow the content."""

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from donorgrid.core.errors import InputError
from donorgrid.models import adapter_files
from donorgrid.models.adapter_files import (
    AdapterKey,
    changed_modules,
    content_digest,
    factor_shapes,
    is_adapter,
    parse_key,
    read_config,
    tensor_key,
)

MODULE = "model.layers.0.self_attn.q_proj"
SRC = Path(adapter_files.__file__).parents[1]


@pytest.fixture
def adapter(tmp_path: Path) -> Path:
    folder = tmp_path / "adapter"
    folder.mkdir()
    a, b = np.ones((2, 6), dtype=np.float32), np.zeros((4, 2), dtype=np.float32)
    tensors = {tensor_key(MODULE, "lora_A"): a, tensor_key(MODULE, "lora_B"): b}
    save_file(tensors, folder / "adapter_model.safetensors")
    config = {"peft_type": "LORA", "r": 2, "base_model_name_or_path": "/somewhere"}
    (folder / "adapter_config.json").write_text(json.dumps(config))
    return folder


@pytest.mark.parametrize("factor", ["lora_A", "lora_B", "lora_magnitude_vector"])
def test_a_key_is_parsed_into_what_it_was_formed_from(factor: str) -> None:
    assert parse_key(tensor_key(MODULE, factor)) == AdapterKey(MODULE, factor)


def test_keys_are_those_that_peft_saves(tmp_path: Path) -> None:
    import torch
    from peft import LoraConfig, get_peft_model, get_peft_model_state_dict

    network = torch.nn.Sequential(torch.nn.Linear(4, 4))
    for use_dora in (False, True):
        adapted = get_peft_model(network, LoraConfig(r=2, target_modules=["0"], use_dora=use_dora))
        parsed = {parse_key(key) for key in get_peft_model_state_dict(adapted)}
        expected = {"lora_A", "lora_B"} | ({"lora_magnitude_vector"} if use_dora else set())
        assert parsed == {AdapterKey("0", factor) for factor in expected}
        assert {tensor_key(*key) for key in parsed if key} == get_peft_model_state_dict(adapted).keys()
        network = adapted.unload()


@pytest.mark.parametrize("key", ["base_model.model.model.embed_tokens.weight", "model.q_proj.lora_A.weight", "lora_A"])
def test_other_keys_are_no_factors(key: str) -> None:
    assert parse_key(key) is None


def test_a_bias_is_a_factor_of_its_own() -> None:
    assert parse_key(f"base_model.model.{MODULE}.lora_B.bias") == AdapterKey(MODULE, "lora_B.bias")


def test_shapes_and_modules_come_from_the_header(adapter: Path) -> None:
    assert factor_shapes(adapter) == {MODULE: {"lora_A": (2, 6), "lora_B": (4, 2)}}
    assert changed_modules(adapter) == (MODULE,)


@pytest.mark.parametrize("kept", [0, 20, -1])
def test_cut_weights_are_one_line(adapter: Path, kept: int) -> None:
    weights = adapter / "adapter_model.safetensors"
    weights.write_bytes(weights.read_bytes()[:kept])
    with pytest.raises(InputError, match=r"adapter_model\.safetensors: no whole safetensors file"):
        factor_shapes(adapter)


@pytest.mark.parametrize("content", ["{", "[1]", ""])
def test_a_broken_configuration_is_one_line(adapter: Path, content: str) -> None:
    (adapter / "adapter_config.json").write_text(content)
    with pytest.raises(InputError, match=r"adapter_config\.json: cannot be read as PEFT's configuration"):
        read_config(adapter)


def test_the_digest_is_the_one_that_stored_keys_hold(adapter: Path) -> None:
    weights = (adapter / "adapter_model.safetensors").read_bytes()
    of_weights = hashlib.sha256(b"adapter_model.safetensors\0" + hashlib.sha256(weights).digest()).hexdigest()
    text = f'["{of_weights}",{{"peft_type":"LORA","r":2}}]'
    assert content_digest(adapter) == hashlib.sha256(text.encode()).hexdigest()


def test_the_digest_follows_the_content_and_not_where_the_base_lay(adapter: Path) -> None:
    before = content_digest(adapter)
    config = read_config(adapter)
    (adapter / "adapter_config.json").write_text(json.dumps({**config, "base_model_name_or_path": "/elsewhere"}))
    assert content_digest(adapter) == before
    (adapter / "adapter_config.json").write_text(json.dumps({**config, "r": 3}))
    assert content_digest(adapter) != before


def test_a_folder_without_an_adapter_configuration_is_a_checkpoint(tmp_path: Path, adapter: Path) -> None:
    save_file({"weight": np.ones(3, dtype=np.float32)}, tmp_path / "model.safetensors")
    (tmp_path / "config.json").write_text('{"_name_or_path": "x", "model_type": "llama"}')
    assert is_adapter(adapter)
    assert not is_adapter(tmp_path)
    before = content_digest(tmp_path)
    (tmp_path / "config.json").write_text('{"_name_or_path": "y", "model_type": "llama"}')
    assert content_digest(tmp_path) == before
    (tmp_path / "config.json").write_text('{"model_type": "qwen2"}')
    assert content_digest(tmp_path) != before


def test_the_names_stand_in_one_module() -> None:
    spelled = ('"adapter_model.safetensors"', '"adapter_config.json"', "base_model.model.", ".lora_A.weight")
    files = [file for file in SRC.rglob("*.py") if any(name in file.read_text("utf-8") for name in spelled)]
    assert files == [Path(adapter_files.__file__)]


@pytest.mark.parametrize(("value", "shown"), [("NaN", "nan"), ("1e999", "inf"), ("-Infinity", "-inf")])
def test_numbers_that_are_none_are_one_line(adapter: Path, value: str, shown: str) -> None:
    config = json.loads((adapter / "adapter_config.json").read_text(encoding="utf-8"))
    text = json.dumps({**config, "lora_alpha": "HERE", "rank_pattern": {"q_proj": 2}}).replace('"HERE"', value)
    (adapter / "adapter_config.json").write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=f"lora_alpha: {shown}: expected finite numbers"):
        read_config(adapter)


def test_a_checkpoint_may_hold_infinity(tmp_path: Path) -> None:
    """Mamba's configuration has ``"time_step_limit": [0.0, Infinity]``."""
    digests = set()
    for text in ('{"limit": [0.0, Infinity]}', '{"limit": [0.0, 1.0]}'):
        (tmp_path / "config.json").write_text(text, encoding="utf-8")
        digests.add(content_digest(tmp_path))
    assert len(digests) == 2
