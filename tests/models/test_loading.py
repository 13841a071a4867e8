"""A checkpoint that transformers would load with random weights, or fail on amid the work, is refused in one line."""

import json
import shutil
from pathlib import Path

import pytest
import torch

from donorgrid.core.errors import InputError
from donorgrid.models.folders import find_model
from donorgrid.models.loading import load_network, load_tokenizer


@pytest.fixture
def model(world: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(world / "llama", tmp_path / "model"))


def change(model: Path, name: str, **keys: object) -> None:
    content = json.loads((model / name).read_text())
    (model / name).write_text(json.dumps({**content, **keys}))


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"num_hidden_layers": 3}, r"hold no model\.layers\.2\..* \(9 such weights\), which config\.json needs"),
        ({"hidden_act": "shoe"}, "cannot be loaded: "),
        ({"hidden_size": 48}, "cannot be loaded: "),
        ({"rope_parameters": []}, "cannot be loaded: "),
        ({"attention_bias": "x"}, "cannot be loaded: "),
        ({"num_attention_heads": 0}, "cannot be loaded: "),
        ({"model_type": "shoe"}, "cannot be loaded: "),
    ],
)
def test_a_configuration_that_does_not_fit_its_weights_is_one_line(
    model: Path, keys: dict, message: str, capfd: pytest.CaptureFixture[str]
) -> None:
    change(model, "config.json", **keys)
    capfd.readouterr()
    with pytest.raises(InputError, match=message) as error:
        load_network(model, dtype=torch.float32)
    assert str(error.value).startswith(f"{model}: the model cannot be loaded: ")
    assert "\n" not in str(error.value)
    assert capfd.readouterr() == ("", "")


def test_weights_that_are_not_used_are_said_in_one_line(model: Path, caplog: pytest.LogCaptureFixture) -> None:
    change(model, "config.json", num_hidden_layers=1)
    load_network(model, dtype=torch.float32)
    (line,) = [record.getMessage() for record in caplog.records if record.name == "donorgrid"]
    assert line.startswith(f"{model}: 9 weights of its files are not used, the first is model.layers.1.")


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("tokenizer.json", "{}"),
        ("tokenizer.json", '{"model": {"type": "shoe"}}'),
        ("tokenizer_config.json", '{"tokenizer_class": ["x"]}'),
        ("tokenizer_config.json", "[1]"),
        ("config.json", '{"model_type": "llama", "vocab_size": "x"}'),
    ],
)
def test_a_broken_tokenizer_is_one_line(model: Path, name: str, content: str) -> None:
    folder = find_model(str(model), revision=None, folder=Path(), built_in={})
    (model / name).write_text(content)
    with pytest.raises(InputError) as error:
        load_tokenizer(folder)
    assert str(error.value).startswith(f"{model}: the tokenizer cannot be loaded: ")
    assert "\n" not in str(error.value)
